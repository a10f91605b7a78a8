/** What goes wrong with a model, as people are told of it: what, what was kept, and what would work. */
import { ModelSourceError, WeightError } from '../../../nn/model-folder/errors.ts';
import { FileTreeError } from '../../../storage/files/file-tree.ts';
import { EngineError } from '../../session/messages/errors.ts';

const WHAT_RUNS =
  'Llama-type models run here, as safetensors folders or GGUF files with byte-level BPE: SmolLM2, Llama 3.2, SmolLM3 and the like.';

const SOURCE_ADVICE: Readonly<Record<ModelSourceError['kind'], string>> = {
  missing: 'Choose the whole folder, or one GGUF file.',
  'not-a-model-file': WHAT_RUNS,
  network: 'Try again; what came is kept. Or set a mirror, or download the files elsewhere and open them from disk.',
  truncated: 'Try again: it goes on where it stopped. A file from disk has to be copied or downloaded again.',
  refused: '',
};

const TREE_ADVICE: Readonly<Record<FileTreeError['kind'], string>> = {
  full: 'Delete models that are not needed, then go on: what came is kept.',
  busy: 'Wait for the other tab, or close it.',
  missing: 'Fetch the model again.',
  failed: 'Leave private browsing or allow site data. Models can be opened from disk all the same.',
};

/** Errors of reading and keeping a model with advice; any other as it is. */
export function modelProblem(error: unknown, kept = 'The model that was loaded stays.'): unknown {
  const said = (advice: string) =>
    new EngineError('bad-model', (error as Error).message, kept, advice, { cause: error });
  if (error instanceof ModelSourceError) return said(SOURCE_ADVICE[error.kind]);
  if (error instanceof FileTreeError) return said(TREE_ADVICE[error.kind]);
  if (isOutOfMemory(error)) {
    return new EngineError(
      'bad-model',
      'There was not enough memory for this model.',
      kept,
      'Close other tabs and try again, or choose a smaller model or one with fewer bits a weight (Q4_0, Q8_0).',
      { cause: error },
    );
  }
  if (!(error instanceof WeightError)) return error;
  const isCut = /cut short|past the file's end|outside the .* bytes of data/.test(error.message);
  return said(isCut ? 'The file is not whole: copy or download it again.' : WHAT_RUNS);
}

/** As browsers, WASM and the backends say it; none has a name of its own for it. */
function isOutOfMemory(error: unknown): boolean {
  const says = error instanceof Error ? `${error.name} ${error.message}` : '';
  return /allocation failed|invalid (typed )?array (buffer )?length|out of memory|\bOOM\b|enlarge memory/i.test(says);
}

/** What goes wrong with a model, as people are told of it: what, what was kept, and what would work. */
import { ModelSourceError, WeightError } from '../../../nn/model-folder/errors.ts';
import { EngineError } from '../../session/messages/errors.ts';

const WHAT_RUNS =
  'Llama-type models run here, as safetensors folders or GGUF files with byte-level BPE: SmolLM2, Llama 3.2, SmolLM3 and the like.';

const ADVICE: Readonly<Record<ModelSourceError['kind'], string>> = {
  missing: 'Choose the whole folder, or one GGUF file.',
  'not-a-model-file': WHAT_RUNS,
  network: 'Try again; what came is kept. Or download the files elsewhere and open them from disk.',
  truncated: 'Try again: it goes on where it stopped.',
};

/** Errors of reading a model with advice; any other as it is. */
export function modelProblem(error: unknown, kept = 'The model that was loaded stays.'): unknown {
  if (error instanceof ModelSourceError) {
    return new EngineError('bad-model', error.message, kept, ADVICE[error.kind], { cause: error });
  }
  if (error instanceof WeightError) {
    const cut = /cut short|past the file's end|outside the .* bytes of data/.test(error.message);
    const advice = cut ? 'The file is not whole: copy or download it again.' : WHAT_RUNS;
    return new EngineError('bad-model', error.message, kept, advice, { cause: error });
  }
  return error;
}

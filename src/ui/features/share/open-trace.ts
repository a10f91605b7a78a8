/** The ways in which a trace file comes to the page: the file dialog, and being dropped. */
import type { Model } from '../../model/model.ts';

/** @returns a function that lets the user choose a trace file. The input stays in the page, for the browser's own file dialog. */
export function createTracePicker({ recordings }: Model): () => void {
  let picker: HTMLInputElement | null = null;
  return () => {
    picker ??= createPicker((file) => {
      void recordings.open(file);
    });
    picker.click();
  };
}

function createPicker(onFile: (file: File) => void): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.jsonl,.gz,.jsonl.gz,application/jsonl,application/gzip';
  input.hidden = true;
  input.setAttribute('aria-label', 'Trace to open');
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = '';
    if (file) onFile(file);
  });
  document.body.append(input);
  return input;
}

const TRACE_NAME = /\.(jsonl|jsonl\.gz|trace\.gz)$/i;

/** Open a trace that is dropped anywhere but on the documents. @returns a function that stops listening. */
export function listenForDroppedTraces({ recordings, problems }: Model): () => void {
  const over = (event: DragEvent) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    if (event.defaultPrevented) return;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    if (TRACE_NAME.test(file.name)) void recordings.open(file);
    else {
      problems.report({
        title: `${file.name} is no trace`,
        message: 'A trace ends in .jsonl or .jsonl.gz.',
        kept: 'Nothing was changed.',
        tryNext: 'Drop texts on Documents to add them to the history.',
        tone: 'info',
      });
    }
  };
  addEventListener('dragover', over);
  addEventListener('drop', drop);
  return () => {
    removeEventListener('dragover', over);
    removeEventListener('drop', drop);
  };
}

/** The ways in which a file comes to the page beside the documents: the file dialog, and being dropped. */
import { droppedFiles } from '../../model/files/dropped-files.ts';
import type { Model } from '../../model/model.ts';

/** @returns a function that lets the user choose a session or trace file. The input stays in the page, for the browser's own file dialog. */
export function createTracePicker({ files }: Model): () => void {
  let picker: HTMLInputElement | null = null;
  return () => {
    picker ??= createPicker((file) => {
      void files.accept([file], 'page');
    });
    picker.click();
  };
}

function createPicker(onFile: (file: File) => void): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.ctx,.jsonl,.gz,.jsonl.gz,.json,.txt,application/jsonl,application/gzip';
  input.hidden = true;
  input.setAttribute('aria-label', 'Session or trace to open');
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = '';
    if (file) onFile(file);
  });
  document.body.append(input);
  return input;
}

/** Take in what is dropped anywhere but on the documents. @returns a function that stops listening. */
export function listenForDroppedFiles({ files }: Model): () => void {
  const over = (event: DragEvent) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    if (event.defaultPrevented) return;
    if (event.dataTransfer === null || event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    void droppedFiles(event.dataTransfer).then((dropped) => files.accept(dropped, 'page'));
  };
  addEventListener('dragover', over);
  addEventListener('drop', drop);
  return () => {
    removeEventListener('dragover', over);
    removeEventListener('drop', drop);
  };
}

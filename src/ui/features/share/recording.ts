/** Opens trace files and shows them in front of the live session, which goes on behind. */
import { readTraceFile } from '../../../runtime/engine/client-traces.ts';
import { showInFront, showLiveRun } from '../../model/current-run.ts';
import { followLive, seek } from '../../model/playback-store.ts';
import { report, reportError } from '../../model/problem-store.ts';
import { useRecording } from './recording-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { useView } from '../../model/view-store.ts';
import { RecordingReader } from './recording-reader.ts';

let reading: AbortController | null = null;

/**
 * Read a trace file and show it from its first step. What stands before a fault is shown too.
 *
 * @param options - `comesForward`: on a narrow page, leave whatever panel is open for the timeline.
 */
export async function openRecording(
  file: File,
  { comesForward }: { readonly comesForward: boolean } = { comesForward: true },
): Promise<void> {
  reading?.abort();
  const controller = new AbortController();
  reading = controller;
  const { name: fileName, size: totalBytes } = file;
  const reader = new RecordingReader();
  let notes: readonly string[] = [];
  useRecording.setState({ reading: { fileName, readBytes: 0, totalBytes } });
  try {
    notes = await readTraceFile(
      file,
      (part) => {
        reader.accept(part);
        useRecording.setState({ reading: { fileName, readBytes: part.readBytes, totalBytes } });
      },
      controller.signal,
    );
  } catch (error) {
    if (controller.signal.aborted) return;
    reportError(`${fileName} could not be read to its end`, error);
  } finally {
    if (reading === controller) {
      reading = null;
      useRecording.setState({ reading: null });
    }
  }
  const { header, provenance, answers } = reader;
  if (header === null) return;
  if (reader.run.frameCount === 0) {
    report({
      title: `${fileName} has nothing to play`,
      message: 'There is no refocus step in it.',
      kept: 'What was shown before.',
      tryNext: 'Record a run that ingests at least 32 tokens.',
      tone: 'error',
    });
    return;
  }
  showInFront(reader.run);
  useRecording.setState({ recording: { fileName, file, header, provenance, answers, notes } });
  useView.setState({ autoTokens: true, autoSteps: true, selection: null, peek: null });
  if (comesForward) useShell.setState({ mobileTab: 'timeline' });
  seek(0);
}

/** Stop reading; what is shown stays. */
export function cancelReading(): void {
  reading?.abort();
}

/** Back to the live session. Does nothing when it is shown already. */
export function closeRecording(): void {
  if (useRecording.getState().recording === null) return;
  showLiveRun();
  useRecording.setState({ recording: null });
  useView.setState({ autoTokens: true, autoSteps: true, selection: null, peek: null });
  followLive();
}

let picker: HTMLInputElement | null = null;

/** Let the user choose a trace file. The input stays in the page, for the browser's own file dialog. */
export function chooseRecording(): void {
  picker ??= createPicker();
  picker.click();
}

function createPicker(): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.jsonl,.gz,.jsonl.gz,application/jsonl,application/gzip';
  input.hidden = true;
  input.setAttribute('aria-label', 'Trace to open');
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = '';
    if (file) void openRecording(file);
  });
  document.body.append(input);
  return input;
}

const TRACE_NAME = /\.(jsonl|jsonl\.gz|trace\.gz)$/i;

/** Open a trace that is dropped anywhere but on the documents. @returns a function that stops listening. */
export function listenForDroppedTraces(): () => void {
  const over = (event: DragEvent) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    if (event.defaultPrevented) return;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    if (TRACE_NAME.test(file.name)) void openRecording(file);
    else {
      report({
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

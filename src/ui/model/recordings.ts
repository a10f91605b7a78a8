/** Opens trace files and shows them in front of the live session, which goes on behind. */
import { createStore } from 'zustand';
import type { TextOf } from '../../core/question-records/history-text.ts';
import type { ReadQuestion } from '../../core/question-records/record.ts';
import type { TraceHeader } from '../../core/trace/telemetry.ts';
import { readTraceFile } from '../../runtime/engine/client-traces.ts';
import type { ProvenanceRun } from '../../runtime/engine/protocol/protocol.ts';
import type { StreamedToken } from './conversation.ts';
import type { Problems } from './problems.ts';
import type { ReadableStore } from './readable-store.ts';
import { RecordingReader } from './recording-reader.ts';
import type { ReadSpan, RunView } from './run-view.ts';
import type { Shell } from './shell.ts';
import type { ShownRun } from './shown-run.ts';

/** A question of an evaluation, whose trace is the recording. */
export interface RecordedQuestion {
  /** In the list that it was chosen from. */
  readonly index: number;
  readonly title: string;
  readonly record: ReadQuestion;
  readonly textOf: TextOf;
}

export interface Recording {
  readonly fileName: string;
  /** The file itself, to write it in other formats. */
  readonly file: Blob;
  readonly header: TraceHeader;
  readonly provenance: readonly ProvenanceRun[];
  /** What the model wrote in it, one list an answer. */
  readonly answers: readonly (readonly StreamedToken[])[];
  /** What was left out of it, in words. */
  readonly notes: readonly string[];
  /** Null for a trace on its own. */
  readonly question: RecordedQuestion | null;
}

/** The trace file that is being read or shown; null while the page shows the open session. */
export interface RecordingState {
  readonly reading: {
    readonly fileName: string;
    readonly readBytes: number;
    readonly totalBytes: number;
  } | null;
  readonly recording: Recording | null;
}

interface Parts {
  readonly shown: ShownRun;
  readonly view: RunView;
  readonly shell: Shell;
  readonly problems: Problems;
}

export class Recordings {
  readonly #store = createStore<RecordingState>()(() => ({ reading: null, recording: null }));
  readonly #parts: Parts;
  #reading: AbortController | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get store(): ReadableStore<RecordingState> {
    return this.#store;
  }

  get state(): RecordingState {
    return this.#store.getState();
  }

  /**
   * Read a trace file and show it from its first step. What stands before a fault is shown too.
   *
   * @param options - `comesForward`: on a narrow page, leave whatever panel is open for the timeline. `question`:
   * what the trace belongs to; it is shown from where the answer begins.
   */
  async open(
    file: File,
    {
      comesForward,
      question = null,
    }: { readonly comesForward: boolean; readonly question?: RecordedQuestion | null } = {
      comesForward: true,
    },
  ): Promise<void> {
    const { shown, view, shell, problems } = this.#parts;
    this.#reading?.abort();
    const controller = new AbortController();
    this.#reading = controller;
    const { name: fileName, size: totalBytes } = file;
    const reader = new RecordingReader();
    let notes: readonly string[] = [];
    this.#store.setState({ reading: { fileName, readBytes: 0, totalBytes } });
    try {
      notes = await readTraceFile(
        file,
        (part) => {
          reader.accept(part);
          this.#store.setState({ reading: { fileName, readBytes: part.readBytes, totalBytes } });
        },
        controller.signal,
      );
    } catch (error) {
      if (controller.signal.aborted) return;
      problems.reportError(`${fileName} could not be read to its end`, error);
    } finally {
      if (this.#reading === controller) {
        this.#reading = null;
        this.#store.setState({ reading: null });
      }
    }
    const { header, provenance, answers } = reader;
    if (header === null) return;
    if (reader.run.frameCount === 0) {
      problems.report({
        title: `${fileName} has nothing to play`,
        message: 'There is no refocus step in it.',
        kept: 'What was shown before.',
        tryNext: 'Record a run that ingests at least 32 tokens.',
        tone: 'error',
      });
      return;
    }
    const gold = question?.record.gold?.map(([start, end]) => ({ start, end })) ?? [];
    shown.showRecorded(reader.run, provenance, gold);
    this.#store.setState({ recording: { fileName, file, header, provenance, answers, notes, question } });
    view.viewport.startOver();
    if (comesForward) shell.setState({ mobileTab: 'timeline' });
    const begun = question === null ? undefined : answers[0]?.[0]?.step;
    view.playhead.seek(begun === undefined ? 0 : Math.max(0, reader.run.indexOfStep(begun)));
  }

  /** The text of a span as far as the recording has it: a trace on its own has none. */
  spanText(start: number, end: number, maxCharacters: number): Awaited<ReturnType<ReadSpan>> {
    const text = this.state.recording?.question?.textOf(start, end) ?? '';
    return { text: text.slice(0, maxCharacters), truncated: text.length > maxCharacters };
  }

  /** Stop reading; what is shown stays. */
  cancelReading(): void {
    this.#reading?.abort();
  }

  /** Back to the live session. Does nothing when it is shown already. */
  close(): void {
    if (this.state.recording === null) return;
    const { shown, view } = this.#parts;
    shown.showLive();
    this.#store.setState({ recording: null });
    view.viewport.startOver();
    view.playhead.followNewest();
  }
}

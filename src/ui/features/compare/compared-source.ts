/** Brings runs to be compared: the live one, stored sessions, the shipped example, and trace files. */
import { readTraceFile } from '../../../runtime/engine/client-traces.ts';
import type { ChatMessageRecord, ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import type { StreamedToken } from '../../model/conversation.ts';
import { EXAMPLE_ID } from '../../model/example.ts';
import type { Model } from '../../model/model.ts';
import { RecordingReader } from '../../model/recording-reader.ts';
import { Run } from '../../model/run.ts';
import type { RunChoice } from './sides.ts';

/** What was generated at one place of the history. */
export interface ComparedAnswer {
  /** Null where the run does not keep questions. */
  readonly question: string | null;
  readonly text: string;
}

/** A run with what can be shown of it beside its frames. */
export interface ComparedSource {
  readonly run: Run;
  readonly provenance: readonly ProvenanceRun[];
  readonly answers: () => readonly ComparedAnswer[];
  /** The texts of spans; null where the run keeps no text but what the model wrote. */
  readonly texts: ((spans: readonly (readonly [number, number])[]) => Promise<readonly string[]>) | null;
}

const SESSION = 'session:';
const EXAMPLE: RunChoice = { id: 'example', title: 'Shipped example' };

export class ComparedSources {
  readonly #model: Model;
  /** What was read from files, by the id of its choice. */
  readonly #read = new Map<string, ComparedSource>();
  #files: readonly RunChoice[] = [];

  constructor(model: Model) {
    this.#model = model;
  }

  /** Every run that can be chosen now. */
  choices(): readonly RunChoice[] {
    const { mirror, recordings } = this.#model;
    const { session, sessions } = mirror.getState();
    const { recording } = recordings.state;
    const live = session && { id: 'live', title: `Live: ${session.record.title}` };
    const stored = sessions
      .filter(({ id, stepCount }) => id !== session?.record.id && stepCount > 0)
      .map(({ id, title }) => ({ id: SESSION + id, title }));
    return [
      ...(live ? [live] : []),
      ...(recording ? [{ id: 'recording', title: `Shown: ${recording.fileName}` }] : []),
      ...stored,
      EXAMPLE,
      ...this.#files,
    ];
  }

  ofSession(sessionId: string): RunChoice {
    const { session, sessions } = this.#model.mirror.getState();
    if (session?.record.id === sessionId) return { id: 'live', title: `Live: ${session.record.title}` };
    const title = sessions.find(({ id }) => id === sessionId)?.title ?? 'Session';
    return { id: SESSION + sessionId, title };
  }

  /** @throws what reading it throws: an engine's refusal, or what is wrong with a file. */
  async load({ id }: RunChoice, signal: AbortSignal): Promise<ComparedSource> {
    if (id === 'live') return this.#live();
    if (id === 'recording') return this.#recording();
    if (id.startsWith(SESSION)) return this.#stored(id.slice(SESSION.length));
    const known = this.#read.get(id);
    if (known) return known;
    const name = `${EXAMPLE_ID}.trace.jsonl.gz`;
    const response = await fetch(`./examples/${name}`);
    if (!response.ok) throw new Error(`The shipped example answered ${response.status}.`);
    const { source } = await readFile(new File([await response.blob()], name), signal);
    this.#read.set(id, source);
    return source;
  }

  /**
   * Take a trace file in. What stands before a fault is kept, and the fault told.
   *
   * @throws what is wrong with the file, if nothing of it can be compared.
   */
  async takeFile(
    file: File,
    signal: AbortSignal,
  ): Promise<{ readonly choice: RunChoice; readonly fault: unknown }> {
    const { source, fault } = await readFile(file, signal);
    const choice = { id: `file:${this.#files.length + 1}`, title: file.name };
    this.#read.set(choice.id, source);
    this.#files = [...this.#files, choice];
    return { choice, fault };
  }

  #live(): ComparedSource {
    const { conversation, engine, mirror, shown } = this.#model;
    return {
      run: shown.live,
      get provenance() {
        return mirror.getState().provenance;
      },
      answers: () => askedAnswers(conversation.getState().messages),
      texts: (spans) => {
        const sessionId = mirror.getState().session?.record.id ?? '';
        return engine.send({ kind: 'runTexts', sessionId, spans: asTuples(spans) });
      },
    };
  }

  #recording(): ComparedSource {
    const { recordings, shown } = this.#model;
    const { answers = [], provenance = [] } = recordings.state.recording ?? {};
    return { run: shown.run, provenance, answers: () => answers.map(writtenAnswer), texts: null };
  }

  async #stored(sessionId: string): Promise<ComparedSource> {
    const { engine } = this.#model;
    const { events, chat } = await engine.send({ kind: 'readRun', sessionId });
    const run = new Run();
    run.append(events);
    return {
      run,
      provenance: [],
      answers: () => askedAnswers(chat),
      texts: (spans) => engine.send({ kind: 'runTexts', sessionId, spans: asTuples(spans) }),
    };
  }
}

async function readFile(
  file: File,
  signal: AbortSignal,
): Promise<{ readonly source: ComparedSource; readonly fault: unknown }> {
  const reader = new RecordingReader();
  let fault: unknown = null;
  try {
    await readTraceFile(
      file,
      (part) => {
        reader.accept(part);
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted || reader.run.frameCount === 0) throw error;
    fault = error;
  }
  if (reader.run.frameCount === 0) throw new Error(`${file.name} has no refocus step to compare.`);
  const { run, provenance, answers } = reader;
  return { source: { run, provenance, answers: () => answers.map(writtenAnswer), texts: null }, fault };
}

function asTuples(spans: readonly (readonly [number, number])[]): [number, number][] {
  return spans.map(([start, end]) => [start, end]);
}

function askedAnswers(messages: readonly ChatMessageRecord[]): readonly ComparedAnswer[] {
  return messages.flatMap(({ role, text }, i) => {
    if (role !== 'assistant') return [];
    const before = messages[i - 1];
    return [{ question: before?.role === 'user' ? before.text : null, text }];
  });
}

function writtenAnswer(tokens: readonly StreamedToken[]): ComparedAnswer {
  return {
    question: null,
    text: tokens
      .map(({ text }) => text)
      .join('')
      .trim(),
  };
}

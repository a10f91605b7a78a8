/** Brings runs to be compared: the live one, stored sessions, the shipped example, and trace files. */
import { readTraceFile } from '../../../runtime/engine/client-traces.ts';
import type { ChatMessageRecord } from '../../../runtime/engine/protocol/protocol.ts';
import { currentRun, liveRun } from '../../model/current-run.ts';
import { send } from '../../model/engine-session.ts';
import { EXAMPLE_ID } from '../../model/example.ts';
import { RunTrace } from '../../model/run-trace.ts';
import { RecordingReader } from '../share/recording-reader.ts';
import { type StreamedToken, useChat } from '../chat/chat-store.ts';
import { useRecording } from '../share/recording-store.ts';
import { useSession } from '../../model/session-store.ts';
import { type RunChoice, useCompare } from './compare-store.ts';

/** What was generated at one place of the history. */
export interface ComparedAnswer {
  /** Null where the run does not keep questions. */
  readonly question: string | null;
  readonly text: string;
}

/** A run with what can be shown of it beside its frames. */
export interface ComparedSource {
  /** The run lives on; another one may come to stand for it, so ask again. */
  readonly run: () => RunTrace;
  readonly answers: () => readonly ComparedAnswer[];
  /** The texts of spans; null where the run keeps no text but what the model wrote. */
  readonly texts: ((spans: readonly (readonly [number, number])[]) => Promise<readonly string[]>) | null;
}

const SESSION = 'session:';
const files = new Map<string, ComparedSource>();
const EXAMPLE: RunChoice = { id: 'example', title: 'Shipped example' };

/** Every run that can be chosen now. */
export function runChoices(): readonly RunChoice[] {
  const { session, sessions } = useSession.getState();
  const { recording } = useRecording.getState();
  const live = session && { id: 'live', title: `Live: ${session.record.title}` };
  const stored = sessions
    .filter(({ id, stepCount }) => id !== session?.record.id && stepCount > 0)
    .map(({ id, title }) => ({ id: SESSION + id, title }));
  return [
    ...(live ? [live] : []),
    ...(recording ? [{ id: 'recording', title: `Shown: ${recording.fileName}` }] : []),
    ...stored,
    EXAMPLE,
    ...useCompare.getState().files,
  ];
}

export function sessionChoice(sessionId: string): RunChoice {
  const { session, sessions } = useSession.getState();
  if (session?.record.id === sessionId) return { id: 'live', title: `Live: ${session.record.title}` };
  const title = sessions.find(({ id }) => id === sessionId)?.title ?? 'Session';
  return { id: SESSION + sessionId, title };
}

/** @throws what reading it throws: an engine's refusal, or what is wrong with a file. */
export async function loadSource({ id }: RunChoice, signal: AbortSignal): Promise<ComparedSource> {
  if (id === 'live') return liveSource();
  if (id === 'recording') {
    const answers = useRecording.getState().recording?.answers ?? [];
    return { run: () => currentRun, answers: () => answers.map(writtenAnswer), texts: null };
  }
  if (id.startsWith(SESSION)) return storedSource(id.slice(SESSION.length));
  const known = files.get(id);
  if (known) return known;
  const name = `${EXAMPLE_ID}.trace.jsonl.gz`;
  const response = await fetch(`./examples/${name}`);
  if (!response.ok) throw new Error(`The shipped example answered ${response.status}.`);
  const { source } = await readFile(new File([await response.blob()], name), signal);
  files.set(id, source);
  return source;
}

/**
 * Take a trace file in. What stands before a fault is kept, and the fault told.
 *
 * @throws what is wrong with the file, if nothing of it can be compared.
 */
export async function loadFile(
  file: File,
  signal: AbortSignal,
): Promise<{ readonly choice: RunChoice; readonly fault: unknown }> {
  const { source, fault } = await readFile(file, signal);
  const choice = { id: `file:${files.size + 1}`, title: file.name };
  files.set(choice.id, source);
  useCompare.setState(({ files: listed }) => ({ files: [...listed, choice] }));
  return { choice, fault };
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
  const { run, answers } = reader;
  return { source: { run: () => run, answers: () => answers.map(writtenAnswer), texts: null }, fault };
}

function liveSource(): ComparedSource {
  return {
    run: liveRun,
    answers: () => askedAnswers(useChat.getState().messages),
    texts: (spans) => {
      const sessionId = useSession.getState().session?.record.id ?? '';
      return send({ kind: 'runTexts', sessionId, spans: asTuples(spans) });
    },
  };
}

async function storedSource(sessionId: string): Promise<ComparedSource> {
  const { events, chat } = await send({ kind: 'readRun', sessionId });
  const run = new RunTrace();
  run.append(events);
  return {
    run: () => run,
    answers: () => askedAnswers(chat),
    texts: (spans) => send({ kind: 'runTexts', sessionId, spans: asTuples(spans) }),
  };
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

/** An engine on the fake model and a store in memory, with everything it says written down. */
import type { SlotView } from '../../core/context/slot-view.ts';
import type { TelemetryEvent, TelemetryEventOf } from '../../core/trace/telemetry.ts';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import type { SessionStore } from '../../storage/ports.ts';
import { Engine, type EnginePorts } from '../engine/engine.ts';
import type { Notice } from '../engine/protocol/protocol.ts';
import type { BranchProgress } from '../session/messages/run-messages.ts';
import { createFakeModel } from './fake-model.ts';
import type { FakeModel } from './fake-model.ts';

export interface EngineFixture {
  readonly engine: Engine;
  readonly model: FakeModel;
  readonly store: SessionStore;
  readonly notices: Notice[];
  events(): TelemetryEvent[];
}

/** For engines that are asked for no model. */
export const NO_MODELS: EnginePorts['models'] = {
  examine: noModels,
  find: noModels,
  list: noModels,
  fetch: noModels,
  keep: noModels,
  pause: () => undefined,
  remove: noModels,
};

/** Of a machine that nobody measured. */
export const SOME_MACHINE: EnginePorts['measureBackend'] = () =>
  Promise.resolve({ bytesPerSecond: 1e9, flopsPerSecond: 2e9, dispatchMs: 0.1 });

function noModels(): Promise<never> {
  return Promise.reject(new Error('No models here.'));
}

/** A booted engine. */
export async function bootEngine(
  options: { readonly store?: SessionStore; readonly model?: FakeModel } = {},
): Promise<EngineFixture> {
  const model = options.model ?? createFakeModel();
  return { ...(await bootEngineWith(model, options.store)), model };
}

/** A booted engine on any model, which it disposes; the clock counts calls, so that timings repeat. */
export async function bootEngineWith(
  model: LoadedModel,
  store: SessionStore = createMemoryStore(),
): Promise<Omit<EngineFixture, 'model'>> {
  const notices: Notice[] = [];
  let ticks = 0;
  const engine = new Engine({
    models: NO_MODELS,
    loadModel: () =>
      Promise.resolve({
        model,
        backend: {
          id: 'cpu',
          reason: 'Test.',
          adapter: null,
          isSoftwareAdapter: false,
          wasOverridden: true,
          threads: null,
        },
      }),
    openStore: () => Promise.resolve(store),
    measureBackend: SOME_MACHINE,
    clock: { now: () => ticks++, wallClockMs: () => 1_700_000_000_000 },
    notify: (notice) => notices.push(notice),
  });
  await engine.handle({
    kind: 'boot',
    place: { kind: 'shipped', id: 'fake', baseUrl: 'models/' },
    backend: 'cpu',
  });
  return {
    engine,
    store,
    notices,
    events: () => notices.flatMap((notice) => (notice.kind === 'telemetry' ? notice.events : [])),
  };
}

/** The fake model with a second LensNet, which scores everything alike. */
export function withPerceiver(): FakeModel {
  const model = createFakeModel();
  const score = ({ slotCount }: SlotView) => Promise.resolve(new Float32Array(slotCount).fill(0.25));
  return { ...model, otherLensNets: new Map([['perceiver', { ...model.lensNet, score }]]) };
}

/** Readable filler of at least `characters` characters; the seed varies it. */
export function prose(characters: number, seed = 0): string {
  const words = ['harbour', 'lantern', 'rope', 'keeper', 'tide', 'crate', 'gull', 'pier'];
  let text = '';
  for (let i = seed; text.length < characters; i++) text += `The ${words[i % 8]!} of pier ${i} is old. `;
  return text;
}

/** A new session. @returns its id. */
export async function open(fixture: Pick<EngineFixture, 'engine'>, config = {}): Promise<string> {
  const snapshot = await fixture.engine.handle({ kind: 'createSession', title: 'Test', config });
  return snapshot.state.record.id;
}

/** Ingest a text to its end. */
export async function ingest(fixture: Pick<EngineFixture, 'engine'>, text: string): Promise<void> {
  const { engine } = fixture;
  await engine.handle({ kind: 'ingestText', text, title: 'Doc', role: 'document' });
  await engine.handle({ kind: 'run', tokensPerSecond: 0 });
  await idle(fixture);
}

/** Wait until ingestion has ended; pause would end it early. */
export async function idle({ engine }: Pick<EngineFixture, 'engine'>): Promise<void> {
  for (;;) {
    const { activity } = await engine.handle({ kind: 'setConfig', changes: {} });
    if (activity === 'idle') return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export const frames = (fixture: EngineFixture): TelemetryEventOf<'refocus'>[] =>
  fixture.events().filter((event) => event.type === 'refocus');

/** What the engine last said of its branch, once it has ended. */
export function branchEnded(fixture: EngineFixture): Promise<BranchProgress> {
  return until(() => {
    const last = fixture.notices.findLast(({ kind }) => kind === 'branch');
    return last?.kind === 'branch' && last.progress.phase !== 'replaying' ? last.progress : undefined;
  });
}

/** Ask again and again until something (not undefined, not false) comes. */
export async function until<T>(find: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  for (let tries = 0; tries < 2000; tries++) {
    const found = await find();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('It never came.');
}

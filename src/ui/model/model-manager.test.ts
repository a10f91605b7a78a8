/** A model is looked at before it is loaded; loading one opens a session of its own; a failure brings the old one back. */
import { expect, it } from 'vitest';
import type {
  Command,
  FetchPlan,
  KeptModel,
  ModelPlace,
  ModelReport,
  SessionRecord,
} from '../../runtime/engine/protocol/protocol.ts';
import { createModel } from './model.ts';
import { SHIPPED_MODEL } from './model-manager.ts';
import { sessionsOf } from './session.ts';
import { fakeEngine } from './testing/fake-engine.ts';

const record = (id: string, modelId: string, modelHash: string, tokenCount = 100, updatedAt = 1) =>
  ({ id, modelId, modelHash, tokenCount, updatedAt }) as SessionRecord;

const PLAN: FetchPlan = {
  folder: 'org--base@c0ffee',
  name: 'org/base',
  origin: 'org/base@c0ffee',
  licence: null,
  files: [],
};
const KEPT: KeptModel = { plan: PLAN, receivedBytes: 5, totalBytes: 5, isComplete: true };

interface SceneOptions {
  readonly sessions?: readonly SessionRecord[];
  readonly kept?: readonly KeptModel[];
  readonly broken?: boolean;
}

function scene(options: SceneOptions = {}) {
  const commands: Command[] = [];
  const { port } = fakeEngine((command) => {
    commands.push(command);
    const { kind } = command;
    // Others are not asked for here.
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check
    switch (kind) {
      case 'examineModel':
        if (options.broken === true) {
          throw Object.assign(new Error('a.gguf: architecture "phi3" is not supported'), {
            tryNext: 'Llama-type models run here.',
          });
        }
        return { name: 'A base' };
      case 'boot': {
        if (command.place.kind === 'files' && options.broken === true) throw new Error('It does not fit.');
        const id = command.place.kind === 'shipped' ? 'tiny' : 'base';
        return { model: { id, title: id, hash: `hash of ${id}`, hasHeads: id === 'tiny' } };
      }
      case 'listModels':
        return { models: options.kept ?? [], usageBytes: 1, quotaBytes: 10, unavailable: null };
      case 'findModel':
        return { plan: PLAN, check: { name: 'org/base' }, choices: [], file: null, noRoom: null };
      case 'fetchModel':
        return 'whole';
      case 'listSessions':
        return options.sessions ?? [];
      case 'createSession':
      case 'openSession':
        return {
          state: { record: { id: 'sessionId' in command ? command.sessionId : 'new' }, activity: 'idle' },
          events: [],
          chat: [],
          provenance: [],
          damage: [],
        };
      default:
        return null;
    }
  });
  const model = createModel(port);
  model.mirror.setState({ phase: 'ready', boot: { model: { id: 'tiny' } } as never });
  const file = new File(['GGUF'], 'a.gguf');
  const place: ModelPlace = { kind: 'files', name: 'a', files: [file] };
  const kinds = () => commands.map(({ kind }) => kind);
  return { options, model, models: model.models, commands, kinds, file, place };
}

it('looks at chosen files and loads nothing of them', async () => {
  const { model, models, kinds, file } = scene();
  await models.choose([file]);
  expect(models.store.getState().choice).toMatchObject({
    name: 'a',
    check: { name: 'A base' },
    problem: null,
  });
  expect(model.shell.getState().dialog).toBe('models');
  expect(kinds()).toEqual(['examineModel']);
});

it('says why a model cannot be loaded, and what could', async () => {
  const { models, file } = scene({ broken: true });
  await models.choose([file]);
  expect(models.store.getState().choice).toMatchObject({
    check: null,
    problem: { message: expect.stringContaining('phi3') as unknown, tryNext: 'Llama-type models run here.' },
  });
});

it('opens a new session with another model, or the empty one that it has', async () => {
  const { models, kinds, place, commands } = scene({ sessions: [record('old', 'base', 'hash of base')] });
  await models.use(place);
  expect(kinds()).toEqual(['boot', 'listSessions', 'createSession', 'listSessions']);
  expect(commands[2]).toMatchObject({ title: 'Session with base' });
  const second = scene({ sessions: [record('empty', 'base', 'hash of base', 0)] });
  await second.models.use(second.place);
  expect(second.kinds()).toEqual(['boot', 'listSessions', 'openSession']);
});

it('goes back to no session that was deleted, and keeps it apart', async () => {
  const deleted = { ...record('empty', 'base', 'hash of base', 0), deletedAt: 5 };
  const { model, models, kinds, place } = scene({ sessions: [deleted] });
  await models.use(place);
  expect(kinds()).toContain('createSession');
  expect(model.mirror.getState()).toMatchObject({ sessions: [], deletedSessions: [{ id: 'empty' }] });
});

it('loads the model before again where loading fails', async () => {
  const { model, models, place, commands } = scene({ broken: true });
  await models.use(place);
  const places = commands.flatMap((command) => (command.kind === 'boot' ? [command.place] : []));
  expect(places).toEqual([place, SHIPPED_MODEL]);
  expect(models.store.getState().place).toEqual(SHIPPED_MODEL);
  expect(model.problems.store.getState().problems).toMatchObject([{ message: 'It does not fit.' }]);
  expect(model.mirror.getState().phase).toBe('ready');
});

it('knows a base by its weights, and one with heads by its name: that one’s weights may be made anew', () => {
  const base = { id: 'base', hash: 'q4', hasHeads: false } as ModelReport;
  const sessions = [record('a', 'base', 'q4'), record('b', 'base', 'f16'), record('c', 'base', 'q4', 1, 9)];
  expect(sessionsOf(base, sessions).map(({ id }) => id)).toEqual(['c', 'a']);
  expect(sessionsOf({ ...base, hasHeads: true }, sessions)).toHaveLength(3);
});

it('fetches what the user saw, and then looks at it before it is loaded', async () => {
  const { models, kinds } = scene({ kept: [KEPT] });
  await models.find('org/base');
  const { choice } = models.store.getState();
  expect(choice).toMatchObject({ place: null, offer: { plan: PLAN } });
  await models.fetch(choice!.offer!.plan);
  expect(kinds()).toEqual(['findModel', 'fetchModel', 'listModels', 'examineModel']);
  expect(models.store.getState()).toMatchObject({
    fetching: null,
    shelf: { models: [KEPT] },
    choice: { place: { kind: 'kept', folder: PLAN.folder } },
  });
});

it('opens a session with the model that made it, which it knows from when that ran', async () => {
  const session = record('mine', 'base', 'hash of base');
  const { models, kinds } = scene({ kept: [KEPT], sessions: [session] });
  await models.refreshShelf();
  await models.use({ kind: 'kept', folder: PLAN.folder, name: PLAN.name });
  await models.use(SHIPPED_MODEL);
  const before = kinds().length;
  await models.openSession(session);
  expect(kinds().slice(before)).toEqual(['listModels', 'boot', 'listSessions', 'openSession']);
});

it('says what to fetch where the model of a session is missing', async () => {
  const session = record('mine', 'base', 'hash of base');
  const gone = scene({ kept: [KEPT], sessions: [session] });
  await gone.models.refreshShelf();
  await gone.models.use({ kind: 'kept', folder: PLAN.folder, name: PLAN.name });
  await gone.models.use(SHIPPED_MODEL);
  (gone.options.kept as KeptModel[]).length = 0;
  await gone.models.openSession(session);
  expect(gone.models.store.getState()).toMatchObject({ wanted: session, choice: { offer: { plan: PLAN } } });
  const unknown = record('other', 'elsewhere', 'x');
  await gone.models.openSession(unknown);
  expect(gone.models.originOf(unknown)).toBeNull();
  expect(gone.models.store.getState()).toMatchObject({ wanted: unknown, choice: null });
});

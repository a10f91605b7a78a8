/** An address that is typed into the open page leads where it says, or nowhere. */
import { expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { BootReport, SessionSnapshot, SessionState } from '../../../runtime/engine/protocol/protocol.ts';
import { createModel } from '../../model/model.ts';
import { fakeEngine } from '../../model/testing/fake-engine.ts';
import { followLink } from './address-sync.ts';
import { PageLink } from './page-link.ts';

const snapshotOf = (id: string, config = DEFAULT_RUN_CONFIG): SessionSnapshot => {
  const state = { record: { id }, config, readOnly: false, pendingTokens: 0 };
  return { state: state as unknown as SessionState, events: [], chat: [], provenance: [], damage: [] };
};

const openExample = vi.fn(() => Promise.resolve());

function scene() {
  openExample.mockClear();
  const engine = fakeEngine((command) =>
    command.kind === 'listSessions'
      ? [{ id: 'a' }, { id: 'b' }]
      : command.kind === 'openSession'
        ? snapshotOf(command.sessionId)
        : snapshotOf(model.mirror.getState().session!.record.id).state,
  );
  const model = createModel(engine.port);
  const boot = { defaults: DEFAULT_RUN_CONFIG, model: { id: 'tiny' } } as unknown as BootReport;
  model.mirror.setState({ boot });
  void model.intake.acceptSnapshot(snapshotOf('a'));
  return { ...engine, model, pageLink: new PageLink(model) };
}

it('opens the own session that it names before anything is changed', async () => {
  const { model, pageLink, sent } = scene();
  await followLink({ session: 'b', parameters: { budgetTokens: 1024 } }, model, pageLink, openExample);
  expect(model.mirror.getState().session?.record.id).toBe('b');
  expect(sent).toEqual(['listSessions', 'openSession', 'setConfig']);
});

it('leaves the texts of the session alone, which no link carries', async () => {
  const { model, pageLink, sent } = scene();
  void model.intake.acceptSnapshot(snapshotOf('a', { ...DEFAULT_RUN_CONFIG, systemText: 'Be brief.' }));
  await followLink({ session: 'a' }, model, pageLink, openExample);
  expect(sent).not.toContain('setConfig');
});

it('says that a session is not here, and leaves the open one alone', async () => {
  const { model, pageLink, sent } = scene();
  await followLink({ session: 'z', parameters: { budgetTokens: 1024 } }, model, pageLink, openExample);
  expect(sent).toEqual(['listSessions']);
  expect(model.problems.store.getState().problems[0]?.message).toContain('“z”');
});

it('names a model that the page does not run', async () => {
  const { model, pageLink } = scene();
  await followLink({ session: 'a', model: 'gpt2' }, model, pageLink, openExample);
  expect(model.problems.store.getState().problems[0]?.message).toContain('model = “gpt2”');
});

it('opens another example that it names, here as in a fresh tab', async () => {
  const { model, pageLink, sent } = scene();
  await followLink({ example: 'needle' }, model, pageLink, openExample);
  expect(openExample).toHaveBeenCalledExactlyOnceWith({ example: 'needle' });
  await followLink({ session: 'z', example: 'needle' }, model, pageLink, openExample);
  expect(openExample).toHaveBeenCalledTimes(2);
  await followLink({ example: 'no-such' }, model, pageLink, openExample);
  expect(openExample).toHaveBeenCalledTimes(2);
  expect(sent).not.toContain('openSession');
});

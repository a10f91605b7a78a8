import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../core/trace/config.ts';
import type { Model } from '../model/model.ts';
import { compareHeadsCommand } from './compare-heads.ts';

/** As much of the page as the command asks for. */
function scene(config: Partial<RunConfig>, { steps = 3, isLive = true, refuses = false } = {}) {
  const sent: unknown[] = [];
  const snapshot = { state: { record: { id: 'branch' } } };
  const parts = {
    engine: {
      send: (command: unknown) => {
        sent.push(command);
        return refuses ? Promise.reject(new Error('No room.')) : Promise.resolve(snapshot);
      },
    },
    intake: { acceptSnapshot: vi.fn(() => Promise.resolve()) },
    mirror: {
      getState: () => ({
        session: { record: { id: 'mine', title: 'Mine' }, config: { ...DEFAULT_RUN_CONFIG, ...config } },
      }),
    },
    shown: {
      isLive,
      live: { frameAt: (index: number) => (index < steps ? { step: 7 + index } : undefined) },
    },
    problems: { report: vi.fn(), reportError: vi.fn() },
    actions: { refreshSessions: vi.fn(() => Promise.resolve()) },
  };
  const openSessions = vi.fn();
  const command = compareHeadsCommand(parts as unknown as Model, { openSessions } as never);
  return { ...parts, sent, snapshot, openSessions, run: command.run };
}

describe('the command that compares one window with four heads', () => {
  it('repeats one window with four heads from its first step, and opens both beside each other', async () => {
    const { run, sent, snapshot, intake, openSessions, actions } = scene({ heads: 1 });
    run();
    await vi.waitFor(() => {
      expect(openSessions).toHaveBeenCalledExactlyOnceWith('mine', 'branch');
    });
    expect(sent).toEqual([
      { kind: 'branchSession', sessionId: 'mine', step: 7, title: '4 heads: Mine', changes: { heads: 4 } },
    ]);
    expect(intake.acceptSnapshot).toHaveBeenCalledExactlyOnceWith(snapshot);
    await vi.waitFor(() => {
      expect(actions.refreshSessions).toHaveBeenCalledOnce();
    });
  });

  it('repeats several heads with one window, without what only they have', async () => {
    const { run, sent, openSessions } = scene({ heads: 2, headCues: 'plain*2, names', mutedHeads: '1' });
    run();
    await vi.waitFor(() => {
      expect(openSessions).toHaveBeenCalledOnce();
    });
    const changes = { heads: 1, mutedHeads: '', headCues: '' };
    expect(sent).toEqual([
      { kind: 'branchSession', sessionId: 'mine', step: 7, title: 'One window: Mine', changes },
    ]);
  });

  it.each([{ steps: 0 }, { isLive: false }])('says that there is nothing to compare: %o', (state) => {
    const { run, sent, problems } = scene({}, state);
    run();
    expect(sent).toEqual([]);
    expect(problems.report).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ title: 'There is nothing to compare', kept: 'Nothing was changed.' }),
    );
  });

  it('tells of a refusal, and opens nothing', async () => {
    const { run, problems, openSessions } = scene({}, { refuses: true });
    run();
    await vi.waitFor(() => {
      expect(problems.reportError).toHaveBeenCalledOnce();
    });
    expect(openSessions).not.toHaveBeenCalled();
  });
});

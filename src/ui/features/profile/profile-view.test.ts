import { describe, expect, it, vi } from 'vitest';
import { Profile } from '../../../core/profile/profile.ts';
import type { ProfileReport } from '../../../runtime/engine/protocol/protocol.ts';
import { ProfileView, shownTally } from './profile-view.ts';

function setUp(answer: ProfileReport | null) {
  const attempt = vi.fn(() => Promise.resolve(answer));
  const register = vi.fn();
  const model = { engine: { attempt }, shell: { setState: vi.fn() } };
  const view = new ProfileView({ model, commands: { register } } as never);
  return { view, attempt, register, model };
}

const report = (): ProfileReport => ({
  ...new Profile(() => 0).read(),
  timesKernels: false,
  limits: null,
  model: 'tiny',
  backend: 'wasm',
});

describe('ProfileView', () => {
  it('opens by its command', () => {
    const { register, model } = setUp(null);
    const [{ run }] = register.mock.calls[0] as [{ run: () => void }];
    run();
    expect(model.shell.setState).toHaveBeenCalledWith({ dialog: 'profile' });
  });

  it('keeps the last report when the engine fails, and says so', async () => {
    const { view, attempt } = setUp(report());
    expect(await view.act('read')).toBe(true);
    attempt.mockResolvedValueOnce(null);
    expect(await view.act('measure')).toBe(false);
    expect(view.store.getState()).toMatchObject({ report: { model: 'tiny' }, isMeasuring: false });
  });

  it('shows no turn before the first', () => {
    expect(shownTally(report(), 'turn')).toBeNull();
    expect(shownTally(report(), 'all')!.rows).toEqual([]);
    expect(shownTally(null, 'all')).toBeNull();
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { SessionState } from '../../../runtime/engine/protocol/protocol.ts';
import { createSessionMirror } from '../../model/session.ts';
import { Probes } from './probes.ts';

const at = (cursor: number, id = 's', activity = 'idle') =>
  ({ record: { id }, cursor, activity }) as unknown as SessionState;

/** Probes over an engine that answers with the history's length. */
function setUp() {
  const mirror = createSessionMirror();
  mirror.setState({ session: at(100) });
  const asked: string[] = [];
  const attempt = vi.fn((_: string, { question }: { readonly question: string }) => {
    asked.push(question);
    const cursor = mirror.getState().session!.cursor;
    return Promise.resolve({ answer: `At ${cursor}.`, isAnswered: cursor >= 300, cursor, step: 1 });
  });
  const probes = new Probes({ engine: { attempt } as never, mirror });
  mirror.setState({ session: at(100) });
  const settle = async () => {
    await vi.waitFor(() => {
      expect(probes.store.getState().asking).toBeNull();
    });
  };
  return { mirror, probes, asked, settle };
}

describe('own questions', () => {
  it('are asked on request, and say what came of it', async () => {
    const { probes, asked, mirror } = setUp();
    probes.add('Who?', ['Mara']);
    probes.add('Where?', ['pier', 'end']);
    await probes.askAll();
    mirror.setState({ session: at(400) });
    await probes.askAll();
    expect(asked).toEqual(['Who?', 'Where?', 'Who?', 'Where?']);
    const [who] = probes.store.getState().probes;
    expect(who!.outcomes.map(({ cursor, isAnswered }) => [cursor, isAnswered])).toEqual([
      [100, false],
      [400, true],
    ]);
  });

  it('are asked again whenever so much more was read, never during an answer', async () => {
    const { probes, asked, mirror, settle } = setUp();
    probes.add('Who?', ['Mara']);
    probes.setEvery(512);
    mirror.setState({ session: at(500) });
    await settle();
    expect(asked).toHaveLength(0);
    mirror.setState({ session: at(700, 's', 'answering') });
    await settle();
    expect(asked).toHaveLength(0);
    mirror.setState({ session: at(700) });
    await settle();
    mirror.setState({ session: at(1000) });
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('belong to their session', () => {
    const { probes, mirror } = setUp();
    probes.add('Who?', ['Mara']);
    mirror.setState({ session: at(100, 'other') });
    expect(probes.store.getState().probes).toEqual([]);
  });
});

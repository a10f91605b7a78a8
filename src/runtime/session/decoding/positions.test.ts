import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../../core/trace/config.ts';
import { bootEngine, ingest, open, prose } from '../../testing/engine-fixture.ts';

const COMPACT: Partial<RunConfig> = { positions: 'compact', gistDecay: 1 };

/** What is answered after a history that is mostly gists, by a session begun with some parameters. */
async function answerOf(beginning: Partial<RunConfig>, changes: Partial<RunConfig>): Promise<string> {
  const fixture = await bootEngine();
  await open(fixture, { maxNewTokens: 40, ...beginning });
  await ingest(fixture, prose(2000));
  await fixture.engine.handle({ kind: 'setConfig', changes });
  return (await fixture.engine.handle({ kind: 'ask', text: 'Where is the keeper?' })).answer.text;
}

describe('positions of a session', () => {
  it('can be changed while it runs: the answer is that of a session begun with them', async () => {
    const compact = await answerOf(COMPACT, {});
    expect(await answerOf({}, COMPACT)).toBe(compact);
    expect(await answerOf({}, {})).not.toBe(compact);
    expect(await answerOf(COMPACT, { gistDecay: 0 })).not.toBe(compact);
  });

  it.each(['absolute', 'grouped', 'compact'] as const)(
    '%s: cost nothing against the full history while everything is raw',
    async (positions) => {
      const fixture = await bootEngine();
      await open(fixture, { deltaNllEverySteps: 1, positions });
      await ingest(fixture, prose(150));
      const measured = fixture.events().filter((event) => event.type === 'deltaNll');
      expect(measured[0]!.deltaNll).toBe(0);
    },
  );
});

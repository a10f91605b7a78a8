/** Recorded attention: what a trace says of each generated token, and that recording it changes nothing else. */
import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../../core/trace/config.ts';
import { readTrace } from '../../../storage/trace/trace-codec.ts';
import { bootEngine, ingest, open, prose } from '../../testing/engine-fixture.ts';

async function answered(config: Partial<RunConfig>, changes: Partial<RunConfig> = {}) {
  const fixture = await bootEngine();
  await open(fixture, { maxNewTokens: 40, temperature: 0.8, ...config });
  await ingest(fixture, prose(2000));
  await fixture.engine.handle({ kind: 'setConfig', changes });
  await fixture.engine.handle({ kind: 'ask', text: 'Where is the keeper?' });
  return { fixture, tokens: fixture.events().filter((event) => event.type === 'decode') };
}

describe('recorded attention', () => {
  it('is off unless asked for, and never changes what is decoded', async () => {
    const plain = await answered({});
    expect(plain.tokens.length).toBeGreaterThan(10);
    expect(plain.tokens.every((token) => !('attention' in token))).toBe(true);
    for (const recordAttention of ['mean', 'strongest-head'] as const) {
      const { tokens } = await answered({ recordAttention });
      expect(tokens.every(({ attention }) => attention?.reading === recordAttention)).toBe(true);
      expect(tokens.map(({ tokenId }) => tokenId)).toEqual(plain.tokens.map(({ tokenId }) => tokenId));
    }
  });

  it('is that of the head that counted most where several are merged, and changes nothing there either', async () => {
    const several = { heads: 3, budgetTokens: 768, recentTokens: 96 } as const;
    const plain = await answered(several);
    const { tokens } = await answered({ ...several, recordAttention: 'mean' });
    expect(tokens.map(({ tokenId }) => tokenId)).toEqual(plain.tokens.map(({ tokenId }) => tokenId));
    for (const { head, merged, attention, index } of tokens) {
      const most = merged!.reduce((best, one) => (one[1] > best[1] ? one : best));
      expect(head).toBe(most[0]);
      expect(attention?.reading).toBe('mean');
      expect(attention!.blocks.at(-1)![2]).toBeLessThanOrEqual(index);
    }
  });

  it('can be switched on while the session runs', async () => {
    const { tokens } = await answered({}, { recordAttention: 'last-layer' });
    expect(tokens.every(({ attention }) => attention?.reading === 'last-layer')).toBe(true);
  });

  it('names blocks of the context that the token was predicted from', async () => {
    const { tokens } = await answered({ recordAttention: 'mean' });
    for (const { attention, index } of tokens) {
      const { blocks } = attention!;
      expect(blocks.length).toBeGreaterThan(3);
      expect(blocks.at(-1)![2]).toBeLessThanOrEqual(index);
      expect(blocks.some(([lod]) => lod === 0)).toBe(true);
    }
  });

  it('goes out with the trace and comes back, and a forged share is a fault of its line', async () => {
    const { fixture, tokens } = await answered({ recordAttention: 'mean' });
    const { file } = await fixture.engine.handle({ kind: 'exportTrace', format: 'trace' });
    const text = await file.text();
    const { events } = await readTrace(text);
    expect(events.filter((event) => event.type === 'decode')).toEqual(tokens);
    const at = text.split('\n').findIndex((line) => line.includes('"attention"'));
    const forged = text.replace(/"rest":\d+/, '"rest":123456');
    await expect(readTrace(forged)).rejects.toMatchObject({ code: 'bad-line', line: at + 1 });
  });
});

/** Links come back as they went out; bad ones name the field and keep the rest. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { PARAMETERS } from '../../../core/parameters/parameters.ts';
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import { changedTracks, decodeLink, encodeLink, type LinkState } from './link-state.ts';

const anyName = fc.stringMatching(/^[\w.-]{1,30}$/);
const anyRange = fc
  .tuple(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 1_000_000 }))
  .map(([from, span]): [number, number] => [from / 8, (from + span) / 8]);
const anyBlock = fc
  .tuple(fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const), fc.integer({ min: 0, max: 1000 }))
  .map(([lod, index]) => {
    const size = lod === 0 ? 32 : tokensPerEntry(lod);
    return { lod, start: index * size, end: (index + 1) * size };
  });
/** A link carries no text. */
const LINKED = PARAMETERS.flatMap((parameter) => (parameter.kind === 'text' ? [] : parameter));
function anyValue(parameter: (typeof LINKED)[number]): fc.Arbitrary<string | number> {
  if (parameter.kind === 'choice') return fc.constantFrom(...parameter.choices);
  const { kind, min, max } = parameter;
  if (kind === 'integer') return fc.integer({ min, max });
  // Adding 0 turns -0, which no link can tell from 0, into it.
  return fc.double({ min, max, noNaN: true }).map((value) => value + 0);
}
const anyParameters = fc
  .record(Object.fromEntries(LINKED.map((parameter) => [parameter.id, anyValue(parameter)])), {
    requiredKeys: [],
  })
  .filter((parameters) => Object.keys(parameters).length > 0);
const INITIAL = { order: ['budget', 'swapRate', 'heat', 'score', 'patch'], hidden: ['patch'], pinned: [] };
const everyTrack = INITIAL.order;
const anyTracks = fc
  .tuple(
    fc.shuffledSubarray(everyTrack, { minLength: everyTrack.length }),
    fc.subarray(everyTrack),
    fc.subarray(everyTrack),
  )
  .map(([order, hidden, pinned]) => ({
    order,
    hidden: order.filter((id) => hidden.includes(id)),
    pinned: order.filter((id) => pinned.includes(id)),
  }));
const anyState = fc.record(
  {
    model: anyName,
    session: anyName,
    example: anyName,
    step: fc.nat(),
    tokens: anyRange,
    rows: anyRange,
    block: anyBlock,
    colour: fc.constant('score' as const),
    table: fc.constant(true as const),
    tracks: fc.oneof(anyTracks, fc.constant('own' as const)),
    parameters: anyParameters,
  },
  { requiredKeys: [] },
);

test('every state comes back as it went out', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      expect(decodeLink(`#${encodeLink(state as LinkState)}`, INITIAL)).toEqual({ state, problems: [] });
    }),
    { numRuns: 300 },
  );
});

test('garbage never throws, and what it yields can be written again', () => {
  const field = fc.constantFrom(
    'v',
    'step',
    'tokens',
    'rows',
    'block',
    'table',
    'tracks',
    'p.tauExpand',
    'p.__proto__',
    'x',
  );
  const pair = fc.tuple(
    fc.oneof(field, fc.string()),
    fc.oneof(fc.string({ unit: 'binary' }), fc.constant('1')),
  );
  const link = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pair).map((pairs) => pairs.map(([key, value]) => `${key}=${value}`).join('&')),
    fc
      .array(pair)
      .map((pairs) => `v=2&${pairs.map((each) => each.map(encodeURIComponent).join('=')).join('&')}`),
  );
  fc.assert(
    fc.property(link, (text) => {
      const reading = decodeLink(text, INITIAL);
      if (reading === null) return;
      expect(decodeLink(encodeLink(reading.state), INITIAL)).toEqual({ state: reading.state, problems: [] });
      for (const problem of reading.problems) expect(problem.value.length).toBeLessThanOrEqual(40);
    }),
    { numRuns: 500 },
  );
});

describe('a bad link', () => {
  it.each([
    ['p.tauExpand', '7'],
    ['p.budgetTokens', '1e99'],
    ['p.policy', 'magic'],
    ['p.seed', ''],
    ['p.noSuch', '1'],
    ['step', '-3'],
    ['tokens', '90-40'],
    ['tokens', 'NaN-40'],
    ['rows', '1'],
    ['block', '1-5-37'],
    ['block', '9-0-32'],
    ['colour', 'pink'],
    ['example', '../../etc'],
    ['tracks', 'heat.mood'],
    ['tracks', 'heat.heat*'],
    ['tracks', 'heat,score'],
    ['frobnicate', '1'],
  ])('names %s=%s and applies the rest', (field, value) => {
    const reading = decodeLink(`#v=2&p.maxActions=8&${field}=${value}&model=tiny`, INITIAL);
    expect(reading?.state).toEqual({ model: 'tiny', parameters: { maxActions: 8 } });
    expect(reading?.problems).toHaveLength(1);
    expect(reading?.problems[0]).toMatchObject({ field: field.replace('p.', ''), value });
    expect(reading?.problems[0]?.message).not.toBe('');
  });

  it('of another version is refused whole, for its fields may mean something else', () => {
    for (const version of ['3', '0', 'x', '']) {
      const reading = decodeLink(`#v=${version}&step=4`, INITIAL);
      expect(reading?.state).toEqual({});
      expect(reading?.problems).toMatchObject([{ field: 'v', value: version }]);
    }
    expect(decodeLink('#step=4', INITIAL)?.problems[0]?.field).toBe('v');
  });

  it('without fields is none, and an endless one is not read', () => {
    expect(decodeLink('', INITIAL)).toBeNull();
    expect(decodeLink('#section', INITIAL)).toBeNull();
    expect(decodeLink(`#v=2&model=${'a'.repeat(9000)}`, INITIAL)?.problems[0]?.field).toBe('link');
    expect(decodeLink('#v=2&step=4&step=5', INITIAL)).toMatchObject({
      state: { step: 4 },
      problems: [{ field: 'step' }],
    });
  });
});

test('older versions are lifted step by step', () => {
  const renames = (from: number, before: string, after: string) => ({
    from,
    upgrade: ({ [before]: value = '', ...rest }: Readonly<Record<string, string>>) => ({
      ...rest,
      [after]: value,
    }),
  });
  const upgrades = [renames(1, 'moment', 'at'), renames(2, 'at', 'step')];
  expect(decodeLink('#v=1&moment=7', INITIAL, upgrades, 3)).toEqual({ state: { step: 7 }, problems: [] });
  expect(decodeLink('#v=2&at=7', INITIAL, upgrades, 3)).toEqual({ state: { step: 7 }, problems: [] });
});

test('a link of version 1 leaves the reader their own tracks', () => {
  expect(decodeLink('#v=1&step=4', INITIAL)).toEqual({ state: { step: 4, tracks: 'own' }, problems: [] });
  expect(decodeLink('#v=2&step=4', INITIAL)?.state).toEqual({ step: 4 });
});

test('tracks that a link does not name come last, as they are at first', () => {
  const { order } = INITIAL;
  const tracks = {
    order: ['heat', ...order.filter((id) => id !== 'heat')],
    hidden: ['heat', ...INITIAL.hidden],
    pinned: ['heat'],
  };
  expect(decodeLink('#v=2&tracks=-heat*', INITIAL)?.state).toEqual({ tracks });
  expect(changedTracks(INITIAL, INITIAL)).toBeUndefined();
  expect(changedTracks(tracks, INITIAL)).toBe(tracks);
});

/**
 * Random damage to files, seeded: bytes that are changed, cut, doubled or replaced by words that parsers trip over,
 * and JSON whose values, names and depths are not what anyone expects.
 */
import fc from 'fast-check';

/** How often each importer is tried: ten thousand times in the full run. */
export const MUTATIONS = process.env['FULL_TEST'] === '1' ? 10_000 : 300;

const encoder = new TextEncoder();

const WORDS = [
  'null',
  '-1',
  '1e400',
  '99999999999999999999',
  '{}',
  '[]',
  '"',
  '\\',
  '\n',
  '\0',
  '__proto__',
  'constructor',
  '<img src=x onerror="globalThis.reached=1">',
  '{"__proto__":{"reached":1}}',
  '%}{{',
  '\uFEFF',
  '\u2028',
].map((word) => encoder.encode(word));
const NUMBERS = [0xff, 0x7f, 0x80, 0].map((byte) => new Uint8Array(8).fill(byte));

/** @param originals - sound files; each mutation begins with one of them. */
export function mutatedBytes(...originals: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const edit = fc.record({
    at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.05, noNaN: true })),
    remove: fc.oneof(fc.constantFrom(0, 1), fc.nat(40)),
    insert: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom(...WORDS, ...NUMBERS),
      fc.constant(new Uint8Array()),
    ),
    /** Only the byte itself changes, so that what follows stays where it was. */
    inPlace: fc.boolean(),
  });
  const cut = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 5 });
  return fc
    .tuple(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 4 }), cut)
    .map(([original, edits, keep]) => {
      let bytes = Uint8Array.from(original);
      for (const { at, remove, insert, inPlace } of edits) {
        const from = Math.min(Math.floor(at * bytes.length), bytes.length);
        if (inPlace) bytes.set(insert.subarray(0, bytes.length - from), from);
        else
          bytes = new Uint8Array(
            Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]),
          );
      }
      return keep === null ? bytes : bytes.slice(0, Math.floor(keep * bytes.length));
    });
}

/** The same for a text. */
export function mutatedText(...originals: readonly string[]): fc.Arbitrary<string> {
  const decoder = new TextDecoder();
  return mutatedBytes(...originals.map((text) => encoder.encode(text))).map((bytes) => decoder.decode(bytes));
}

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53,
  2 ** 53 - 1,
  '',
  '__proto__',
  '<img src=x onerror="globalThis.reached=1">',
  'javascript:globalThis.reached=1',
  '../../etc/passwd',
  '\0',
  '\uD800',
  'x'.repeat(70_000),
  [],
  {},
  [[[]]],
  nested(500),
  JSON.parse('{"__proto__":{"reached":1},"constructor":{"prototype":{"reached":1}},"length":-1}'),
];

interface JsonEdit {
  readonly at: number;
  readonly act: 'replace' | 'remove' | 'rename' | 'repeat';
  readonly value: unknown;
}

/** @param original - JSON; each mutation is a copy in which up to three nodes are not as they were, as JSON. */
export function mutatedJson(original: unknown): fc.Arbitrary<string> {
  const source = JSON.stringify(original);
  const edit: fc.Arbitrary<JsonEdit> = fc.record({
    at: fc.nat(),
    act: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename', 'repeat'),
    value: fc.oneof(fc.constantFrom(...HOSTILE), fc.double(), fc.string()),
  });
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    const root = { whole: JSON.parse(source) as unknown };
    // A value of its own each time: the next edit may go into it.
    for (const { value, ...each } of edits) applyEdit(root, { ...each, value: copyOf(value) });
    return JSON.stringify(root.whole);
  });
}

const copyOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

type Holder = Record<string, unknown>;

function applyEdit(root: Holder, { at, act, value }: JsonEdit): void {
  const places = [...placesIn(root)];
  const { holder, key } = places[at % places.length]!;
  if (act === 'replace' || holder === root) define(holder, key, value);
  else if (Array.isArray(holder)) {
    if (act === 'remove') holder.splice(Number(key), 1);
    else holder.push(copyOf(holder[Number(key)]));
  } else {
    const was = copyOf(holder[key]);
    if (act !== 'repeat') Reflect.deleteProperty(holder, key);
    if (act !== 'remove') define(holder, act === 'rename' ? '__proto__' : `${key}2`, was);
  }
}

/** An own property, also where it is called `__proto__`. */
function define(holder: Holder, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function* placesIn(holder: object): Generator<{ readonly holder: Holder; readonly key: string }> {
  for (const [key, value] of Object.entries(holder)) {
    yield { holder: holder as Holder, key };
    if (typeof value === 'object' && value !== null) yield* placesIn(value as object);
  }
}

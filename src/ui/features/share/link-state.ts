/**
 * What a link says, as a fragment such as `#v=2&example=harbour-chronicle&step=120&p.tauExpand=0.3`: encoding,
 * validation, upgrades. Pure; knows neither stores nor the address bar.
 */
import { z } from '../../../base/zod.ts';
import { IN_WORDS } from '../../../base/schema-words.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { parameterNamed, readParameter } from '../../../core/parameters/parameters.ts';
import { K, MAX_LOD, tokensPerEntry } from '../../../core/tree/ids.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { type TrackArrangement, tidyArrangement } from '../../model/track-arrangement.ts';

const LINK_VERSION = 2;
const PARAMETER_PREFIX = 'p.';
/** Longer than any link that the page writes. */
const LONGEST_LINK = 8192;
const LONGEST_QUOTE = 40;

type Range = readonly [from: number, to: number];

export interface LinkState {
  readonly model?: string;
  /** The session in the browser where the link was made; others fall back to the example. */
  readonly session?: string;
  readonly example?: string;
  /** Refocus step under the playhead; absent while following the newest step. */
  readonly step?: number;
  /** Visible tokens and visible rows (frame indices); fractional, absent where the view follows the run. */
  readonly tokens?: Range;
  readonly rows?: Range;
  readonly block?: BlockRef;
  readonly colour?: 'score';
  readonly table?: true;
  /** Order, pins and visibility of the metric tracks; absent for the first arrangement. */
  readonly tracks?: TrackArrangement | 'own';
  /** Parameters that differ from the model's defaults. */
  readonly parameters?: Partial<RunConfig>;
}

/** One field that could not be used; the others hold. */
export interface LinkProblem {
  readonly field: string;
  /** What it said, shortened. */
  readonly value: string;
  readonly message: string;
}

export interface LinkReading {
  readonly state: LinkState;
  readonly problems: readonly LinkProblem[];
}

type Fields = Readonly<Record<string, string>>;

/** Lifts the fields of version `from` to the next. */
export interface LinkUpgrade {
  readonly from: number;
  upgrade(fields: Fields): Fields;
}

/** One upgrade for every version before the current one; version 1 is the first. */
const LINK_UPGRADES: readonly LinkUpgrade[] = [
  // Version 1 said nothing about tracks: whoever opens it keeps their own arrangement.
  { from: 1, upgrade: (fields) => ({ ...fields, tracks: 'own' }) },
];

const name = z
  .string()
  .regex(/^[\w.-]{1,80}$/, 'expected a name of letters, digits, dots, dashes and underscores');
const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number that is not negative')
  .transform(Number);
const range = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,6})?-\d{1,15}(\.\d{1,6})?$/, 'expected two numbers, as 0-4096')
  .transform((text): Range => {
    const [from, to] = text.split('-').map(Number);
    return [from!, to!];
  })
  .refine(([from, to]) => to > from, 'the second number must be larger than the first');
const block = z
  .string()
  .regex(/^\d-\d{1,15}-\d{1,15}$/, 'expected a level, a start and an end, as 1-32-64')
  .transform((text): BlockRef => {
    const [lod, start, end] = text.split('-').map(Number);
    return { lod: lod!, start: start!, end: end! };
  })
  .refine(({ lod }) => lod <= MAX_LOD, `levels go from 0 to ${MAX_LOD}`)
  .refine(isBlock, 'no block has this span at this level');

function isBlock({ lod, start, end }: BlockRef): boolean {
  if (lod > MAX_LOD) return true;
  const size = lod === 0 ? K : tokensPerEntry(lod);
  const tokens = end - start;
  return start % size === 0 && (lod === 0 ? tokens > 0 && tokens <= size : tokens === size);
}

/** Tracks in order, as `swapRate*.utilisation.-heat`: `*` behind a pinned one, `-` before a hidden one. */
const tracksOf = (initial: TrackArrangement) =>
  z.union([
    z.literal('own'),
    z
      .string()
      .regex(
        /^-?\w{1,30}\*?(\.-?\w{1,30}\*?){0,49}$/,
        'expected tracks in order, as swapRate*.utilisation.-heat',
      )
      .transform((text) => text.split('.').map((part) => ({ part, id: part.replaceAll(/[-*]/g, '') })))
      .refine(
        (parts) => new Set(parts.map(({ id }) => id)).size === parts.length,
        'a track stands there twice',
      )
      .refine(
        (parts) => parts.every(({ id }) => initial.order.includes(id)),
        `the tracks are ${initial.order.join(', ')}`,
      )
      .transform((parts) => {
        const ids = (mark: string) => parts.filter(({ part }) => part.includes(mark)).map(({ id }) => id);
        return tidyArrangement({ order: ids(''), hidden: ids('-'), pinned: ids('*') }, initial);
      }),
  ]);

/** Every field but `v` and the parameters: how its text is read, and written. */
const FIELDS = {
  model: { read: () => name, write: String },
  session: { read: () => name, write: String },
  example: { read: () => name, write: String },
  step: { read: () => whole, write: String },
  tokens: { read: () => range, write: writeRange },
  rows: { read: () => range, write: writeRange },
  block: {
    read: () => block,
    write: ({ lod, start, end }: BlockRef) => `${lod}-${start}-${end}`,
  },
  colour: { read: () => z.literal('score'), write: String },
  table: { read: () => z.literal('1').transform(() => true as const), write: () => '1' },
  tracks: { read: tracksOf, write: writeTracks },
} as const satisfies {
  [Field in Exclude<keyof LinkState, 'parameters'>]: {
    read: (initial: TrackArrangement) => z.ZodType<NonNullable<LinkState[Field]>, string>;
    write: (value: NonNullable<LinkState[Field]>) => string;
  };
};
type FieldName = keyof typeof FIELDS;

function writeRange([from, to]: Range): string {
  return `${Number(from.toFixed(3))}-${Number(to.toFixed(3))}`;
}

function writeTracks(arrangement: TrackArrangement | 'own'): string {
  if (arrangement === 'own') return arrangement;
  const { order, hidden, pinned } = arrangement;
  return order
    .map((id) => `${hidden.includes(id) ? '-' : ''}${id}${pinned.includes(id) ? '*' : ''}`)
    .join('.');
}

/** The arrangement as a link says it; undefined for the first one, which needs no words. */
export function changedTracks(
  arrangement: TrackArrangement,
  initial: TrackArrangement,
): TrackArrangement | undefined {
  return writeTracks(arrangement) === writeTracks(initial) ? undefined : arrangement;
}

/** The fragment of a link, without `#`. */
export function encodeLink(state: LinkState): string {
  const fields = new URLSearchParams({ v: String(LINK_VERSION) });
  for (const field of Object.keys(FIELDS) as FieldName[]) {
    const value = state[field];
    if (value !== undefined) fields.set(field, (FIELDS[field].write as (value: unknown) => string)(value));
  }
  for (const [parameter, value] of Object.entries(state.parameters ?? {})) {
    // A link carries no text.
    if (parameterNamed(parameter)?.kind === 'text') continue;
    fields.set(`${PARAMETER_PREFIX}${parameter}`, String(value));
  }
  return fields.toString();
}

/**
 * What a fragment says. Never throws: a field that is unknown, malformed or out of range is named in `problems`
 * and left out, the rest holds. Null if it is no link of ours at all (empty, or an anchor).
 *
 * @param initial - the arrangement that names the page's tracks.
 */
export function decodeLink(
  fragment: string,
  initial: TrackArrangement,
  upgrades: readonly LinkUpgrade[] = LINK_UPGRADES,
  version = LINK_VERSION,
): LinkReading | null {
  const text = fragment.replace(/^#/, '');
  if (!text.includes('=')) return null;
  if (text.length > LONGEST_LINK) {
    const message = `the link has ${text.length} characters; at most ${LONGEST_LINK} are read`;
    return { state: {}, problems: [{ field: 'link', value: quote(text), message }] };
  }
  const problems: LinkProblem[] = [];
  const written = fieldsOf(new URLSearchParams(text), problems);
  const fields = upgraded(written, upgrades, version, problems);
  if (fields === null) return { state: {}, problems };

  const state: Record<string, unknown> = {};
  const parameters: Record<string, unknown> = {};
  const fault = (field: string, value: string, message: string) => {
    problems.push({ field, value: quote(value), message });
  };
  for (const [field, value] of Object.entries(fields)) {
    if (field === 'v') continue;
    if (field.startsWith(PARAMETER_PREFIX)) {
      const named = field.slice(PARAMETER_PREFIX.length);
      const parameter = parameterNamed(named);
      const read = parameter && readParameter(parameter, value);
      if (parameter?.kind === 'text') fault(named, value, 'a link carries no text');
      else if (read?.ok) parameters[named] = read.value;
      else fault(named, value, read?.message ?? 'this page knows no such parameter');
    } else if (Object.hasOwn(FIELDS, field)) {
      const read = FIELDS[field as FieldName].read(initial).safeParse(value, IN_WORDS);
      if (read.success) state[field] = read.data;
      else fault(field, value, read.error.issues[0]?.message ?? 'not understood');
    } else fault(field, value, 'this page knows no such field');
  }
  if (Object.keys(parameters).length > 0) state['parameters'] = parameters;
  return { state, problems };
}

/** A field that is given twice keeps its first value. */
function fieldsOf(given: URLSearchParams, problems: LinkProblem[]): Fields {
  const fields = new Map<string, string>();
  for (const [field, value] of given) {
    if (!fields.has(field)) fields.set(field, value);
    else
      problems.push({
        field: quote(field),
        value: quote(value),
        message: 'given twice; the first one holds',
      });
  }
  return Object.fromEntries(fields);
}

/** The fields in the words of the current version; null if that cannot be. */
function upgraded(
  fields: Fields,
  upgrades: readonly LinkUpgrade[],
  current: number,
  problems: LinkProblem[],
): Fields | null {
  const version = whole.safeParse(fields['v'] ?? '', IN_WORDS);
  const refuse = (message: string) => {
    problems.push({ field: 'v', value: quote(fields['v'] ?? ''), message });
    return null;
  };
  if (!version.success) return refuse('the link does not say its version');
  if (version.data > current) {
    return refuse(`the link is from a newer version of this page, which reads up to ${current}: reload it`);
  }
  let lifted = fields;
  for (let from = version.data; from < current; from++) {
    const step = upgrades.find((candidate) => candidate.from === from);
    if (!step) return refuse(`links of version ${version.data} cannot be read any more`);
    lifted = step.upgrade(lifted);
  }
  return lifted;
}

/** Untrusted text as a message may show it. */
function quote(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE - 1)}…` : text;
}

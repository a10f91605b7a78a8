/**
 * The harbour world as evaluations tell it: its words, its relations, and which facts are kept from training.
 * The words come from `training/world/export.py`, so that both sides speak the same language.
 */
import { crc32 } from '../../../base/crc32.ts';
import data from './world-data.json' with { type: 'json' };

/** How one kind of fact is said and asked. `clause` ends right before the value. */
export interface Relation {
  readonly name: string;
  /** Kinds of words of the two keys, a and b. */
  readonly kinds: readonly string[];
  readonly valueKind: string;
  readonly clause: string;
  readonly questions: readonly string[];
  /** What follows the value. */
  readonly after: string;
}

/** One fact. */
export interface Statement {
  readonly relation: Relation;
  readonly a: string;
  readonly b: string;
  readonly value: string;
}

type Topics = Readonly<Record<string, readonly string[]>>;

interface World {
  readonly evalShare: number;
  readonly lexicon: Readonly<Record<string, readonly string[]>>;
  readonly aliases: Readonly<Record<string, string>>;
  readonly relations: readonly Relation[];
  readonly restated: { readonly last: string; readonly values: string };
  readonly paraphrases: Readonly<Record<string, readonly string[]>>;
  readonly count: {
    readonly questions: readonly string[];
    readonly clause: string;
    readonly numbers: readonly string[];
  };
  readonly chain: { readonly relation: string; readonly hops: number; readonly questions: readonly string[] };
  readonly leads: readonly string[];
  readonly tails: readonly string[];
  readonly topics: Topics;
  /** Wording that training never shows. */
  readonly heldOut: {
    readonly leads: readonly string[];
    readonly tails: readonly string[];
    readonly topics: Topics;
  };
}

export const WORLD: World = data;

export function relationNamed(name: string): Relation {
  const found = WORLD.relations.find((relation) => relation.name === name);
  if (found === undefined) throw new RangeError(`The world has no relation "${name}".`);
  return found;
}

/** Stated several times of one person; the last statement holds. */
export const LAST_SEEN = relationNamed(WORLD.restated.last);
/** Stated several times of one thing; all statements hold. */
export const HOLDS = relationNamed(WORLD.restated.values);
export const CHAIN_RELATION = relationNamed(WORLD.chain.relation);
/** Relations whose facts are stated once. */
export const SINGLE_RELATIONS = WORLD.relations.filter(
  (relation) => relation !== LAST_SEEN && relation !== HOLDS,
);
/** Relations that have questions without a word in common with the fact. */
export const PARAPHRASED_RELATIONS = Object.keys(WORLD.paraphrases).map(relationNamed);

/** Put the keys into a clause or a question. */
export function fill(template: string, a: string, b: string): string {
  return template.replaceAll('{a}', a).replaceAll('{b}', b);
}

/** The core clause up to, not including, the space before the value. */
export function clauseOf({ relation, a, b }: Statement): string {
  return fill(relation.clause, a, b);
}

/** Whether a combination is kept for evaluation: training never states it, evaluation states no other. */
export function isHeldOut({ relation, a, b, value }: Statement): boolean {
  const text = `${relation.name}|${a}|${b}|${value}`;
  return crc32(new TextEncoder().encode(text)) % WORLD.evalShare === 0;
}

/**
 * The harbour world as evaluations tell it: its words, its relations, and which facts are kept from training.
 * The words come from `training/world/export.py`, so that both sides speak the same language.
 */
import { crc32 } from '../../../base/crc32.ts';
import data from './world-data.json' with { type: 'json' };

/** How one kind of fact is said in core forms, in which answers speak. `clause` ends right before the value. */
interface CoreRelation {
  readonly name: string;
  /** Kinds of words of the two keys, a and b. */
  readonly kinds: readonly string[];
  readonly valueKind: string;
  readonly clause: string;
  readonly questions: readonly string[];
  /** What follows the value. */
  readonly after: string;
}

/** A relation with the forms that one language has. */
export interface Relation extends CoreRelation {
  /** Forms of whole statements with {a}, {b} and {value}. */
  readonly statements: readonly string[];
  /** Questions for the keys' aliases; empty where the language has none. */
  readonly paraphrases: readonly string[];
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
  readonly relations: readonly CoreRelation[];
  readonly restated: { readonly last: string; readonly values: string };
  readonly paraphrases: Readonly<Record<string, readonly string[]>>;
  readonly count: {
    readonly clause: string;
    readonly numbers: readonly string[];
  };
  readonly chain: { readonly relation: string; readonly hops: number };
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

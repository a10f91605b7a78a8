/** Questions about facts, and their answers in the facts' own words. Draws no facts and knows no tokens. */
import type { Rng } from '../../../base/rng.ts';
import { pick } from './chronicler.ts';
import { ABSTENTION } from './languages.ts';
import { clauseOf, fill, type Statement, WORLD } from './world.ts';

/** A part of an answer. */
export interface Piece {
  readonly text: string;
  readonly isValue: boolean;
}

export interface Asked {
  /** The question's line, without the chat's markup. */
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** The values may be named in any order. */
  readonly isList: boolean;
  /** All facts that the answer needs; none where the history does not answer the question. */
  readonly statements: readonly Statement[];
}

const words = (text: string): Piece => ({ text, isValue: false });
const value = (text: string): Piece => ({ text: ` ${text}`, isValue: true });
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `" The lantern of Mara is"`, `" amber"`, `"."` */
function sentence(statement: Statement): Piece[] {
  const clause = words(` ${capital(clauseOf(statement))}`);
  return [clause, value(statement.value), words(`${statement.relation.after}.`)];
}

function questionOf({ relation, a, b }: Statement, rng: Rng): string {
  return fill(pick(relation.questions, rng), a, b);
}

export function askSingle(statement: Statement, rng: Rng): Asked {
  return {
    text: questionOf(statement, rng),
    pieces: sentence(statement),
    isList: false,
    statements: [statement],
  };
}

/** Both keys by their aliases, the rest in other words; the answer says the fact's own words. */
export function askParaphrase(statement: Statement, rng: Rng): Asked {
  const { relation, a, b } = statement;
  const template = pick(relation.paraphrases, rng);
  const text = fill(template, WORLD.aliases[a]!, WORLD.aliases[b]!);
  return { text, pieces: sentence(statement), isList: false, statements: [statement] };
}

/** The latest of several statements about one key; only that one is needed. */
export function askLast(said: readonly Statement[], rng: Rng): Asked {
  return askSingle(said.at(-1)!, rng);
}

/** All values of one key, in the order in which they were stated. */
export function askValues(said: readonly Statement[], rng: Rng): Asked {
  const first = said[0]!;
  const pieces = [words(` ${capital(clauseOf(first))}`), value(first.value)];
  for (const other of said.slice(1)) pieces.push(words(', a'), value(other.value));
  return { text: questionOf(first, rng), pieces: [...pieces, words('.')], isList: true, statements: said };
}

export function askCount(said: readonly Statement[], questions: readonly string[], rng: Rng): Asked {
  const { a, b } = said[0]!;
  const { clause, numbers } = WORLD.count;
  const pieces = [words(` ${capital(fill(clause, a, b))}`), value(numbers[said.length - 1]!), words('.')];
  return { text: fill(pick(questions, rng), a, b), pieces, isList: false, statements: said };
}

/** Variable tracking: the answer spells out every hop. */
export function askChain(hops: readonly Statement[], questions: readonly string[], rng: Rng): Asked {
  const first = hops[0]!;
  const pieces = [words(` ${capital(clauseOf(first))}`), value(first.value)];
  for (const hop of hops.slice(1)) pieces.push(words(`, ${clauseOf(hop)}`), value(hop.value));
  const text = fill(pick(questions, rng), first.a, first.b);
  return { text, pieces: [...pieces, words('.')], isList: false, statements: hops };
}

/**
 * All facts, a sentence each, so that the answer has to go on.
 *
 * @param isList - they are values of one key, in any order; else hops of a chain.
 */
export function askOneByOne(
  said: readonly Statement[],
  questions: readonly string[],
  isList: boolean,
  rng: Rng,
): Asked {
  const text = fill(pick(questions, rng), said[0]!.a, said[0]!.b);
  return { text, pieces: said.flatMap(sentence), isList, statements: said };
}

/** Several questions in one line, answered in their order. */
export function askQueries(statements: readonly Statement[], rng: Rng): Asked {
  const text = statements.map((statement) => questionOf(statement, rng)).join(' ');
  return { text, pieces: statements.flatMap(sentence), isList: false, statements };
}

/** Of keys that no statement has had; the statement's value is of no matter. */
export function askUnanswerable(unsaid: Statement, rng: Rng): Asked {
  const text = questionOf(unsaid, rng);
  const pieces = [value(ABSTENTION.replace(/\.$/, '')), words('.')];
  return { text, pieces, isList: false, statements: [] };
}

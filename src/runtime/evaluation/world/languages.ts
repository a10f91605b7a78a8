/**
 * The relations in the forms of each language. The forms come from `training/world/forms.py`, which holds some of
 * them out by hash: no training shows those.
 */
import forms from './world-forms.json' with { type: 'json' };
import { type Relation, WORLD } from './world.ts';

/** Core forms alone; all forms that training may show, core ones among them; those that it never shows. */
export const LANGUAGES = ['core', 'trained', 'held-out'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The answer to a question that no fact of the history answers. */
export const ABSTENTION: string = forms.abstention;

interface Split {
  readonly trained: readonly string[];
  readonly heldOut: readonly string[];
}

/** Questions that belong to no relation. */
const QUESTIONS: Readonly<Record<'count' | 'chain' | 'list' | 'trail', Split>> = forms.questions;

type Forms = Readonly<Record<'statements' | 'questions' | 'paraphrases', Split>>;

const FORMS: Readonly<Record<string, Forms>> = forms.relations;

export interface Relations {
  /** Of these, facts are stated once. */
  readonly singles: readonly Relation[];
  /** Have questions without a word in common with the fact. */
  readonly paraphrased: readonly Relation[];
  /** Stated several times of one person; the last statement holds. */
  readonly lastSeen: Relation;
  /** Stated several times of one thing; all statements hold. */
  readonly holds: Relation;
  /** The value of one fact is the key of the next. */
  readonly chain: Relation;
  /** How many values one key has. */
  readonly countQuestions: readonly string[];
  /** Whom a chain ends with. */
  readonly chainQuestions: readonly string[];
  /** All values of one key, a sentence each. */
  readonly listQuestions: readonly string[];
  /** All hops of a chain, a sentence each. */
  readonly trailQuestions: readonly string[];
}

export const RELATIONS_IN: Readonly<Record<Language, Relations>> = {
  core: relationsIn('core'),
  trained: relationsIn('trained'),
  'held-out': relationsIn('held-out'),
};

function relationsIn(language: Language): Relations {
  const share = language === 'held-out' ? 'heldOut' : 'trained';
  const all = WORLD.relations.map((core): Relation => {
    const { name, clause, after } = core;
    if (language === 'core') {
      const paraphrases = WORLD.paraphrases[name] ?? [];
      return { ...core, statements: [`${clause} {value}${after}`], paraphrases };
    }
    const { statements, questions, paraphrases } = FORMS[name]!;
    return {
      ...core,
      statements: statements[share],
      questions: questions[share],
      paraphrases: paraphrases[share],
    };
  });
  const named = (name: string): Relation => all.find((relation) => relation.name === name)!;
  const lastSeen = named(WORLD.restated.last);
  const holds = named(WORLD.restated.values);
  return {
    singles: all.filter((relation) => relation !== lastSeen && relation !== holds),
    paraphrased: Object.keys(WORLD.paraphrases).map(named),
    lastSeen,
    holds,
    chain: named(WORLD.chain.relation),
    countQuestions: QUESTIONS.count[share],
    chainQuestions: QUESTIONS.chain[share],
    listQuestions: QUESTIONS.list[share],
    trailQuestions: QUESTIONS.trail[share],
  };
}

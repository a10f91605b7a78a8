/**
 * BABILong (Kuratov et al. 2024, arXiv 2406.10149), QA1–QA5: our own simulation of the bAbI worlds (Weston et al.
 * 2015), its sentences hidden in prose in their order. People move, take, drop and hand things on; in QA4 places
 * lie beside each other. Gold are the sentences that the answer follows from.
 */
import type { Rng } from '../../../../base/rng.ts';
import { buildHaystack, sentencesOf } from './haystack.ts';
import { oneQuestion, type PublicTask } from './public-task.ts';

const PEOPLE = ['Mary', 'John', 'Daniel', 'Sandra'];
const GIVERS = ['Mary', 'Fred', 'Bill', 'Jeff'];
const PLACES = ['bathroom', 'bedroom', 'garden', 'hallway', 'kitchen', 'office'];
const THINGS = ['apple', 'football', 'milk'];
const DIRECTIONS = ['north', 'south', 'east', 'west'];

export interface Story {
  readonly sentences: readonly string[];
  readonly question: string;
  readonly answer: string;
  /** Sentences that the answer follows from. */
  readonly support: readonly number[];
}

/** How many sentences the stories of a task have, as in bAbI. */
export const STORY_SENTENCES = {
  qa1: [2, 10],
  qa2: [2, 68],
  qa3: [4, 320],
  qa4: [2, 2],
  qa5: [2, 126],
} as const;
type StoryId = keyof typeof STORY_SENTENCES;

export const BABILONG_TASKS: readonly PublicTask[] = (
  [
    ['qa1', 'Where is a person: the last move tells.'],
    ['qa2', 'Where is a thing: who took it, and where that person went.'],
    ['qa3', 'Where was a thing before it was at a place: three facts.'],
    ['qa4', 'What lies which way of a place: one of two facts.'],
    ['qa5', 'Who gave what to whom: one of many facts with three parts.'],
  ] as const
).map(([id, sentence]): PublicTask => ({
  id,
  sentence,
  needs: ['prose'],
  questionsPerHistory: 1,
  write: ({ historyTokens }, model, { prose }, rng) => {
    const { sentences, question, answer, support } = tellStory(id, rng);
    const plan = { tokens: historyTokens, hay: sentencesOf(prose, rng), needles: sentences, isOrdered: true };
    const { ids, spans } = buildHaystack(plan, model, rng);
    const gold = support.map((index) => spans[index]!);
    return oneQuestion(model, ids, question, { kind: 'in-order', values: [answer] }, gold);
  },
}));

export function tellStory(id: StoryId, rng: Rng): Story {
  const [least, most] = STORY_SENTENCES[id];
  // Long stories of bAbI are rare: three draws, the shortest counts.
  const draws = [0, 1, 2].map(() => least + rng.nextInt(most - least + 1));
  const length = id === 'qa1' || id === 'qa4' ? draws[0]! : Math.min(...draws);
  for (;;) {
    const story = TELLERS[id](length, rng);
    if (story !== null) return story;
  }
}

const TELLERS: Readonly<Record<StoryId, (length: number, rng: Rng) => Story | null>> = {
  qa1: (length, rng) => {
    const world = new World(rng);
    while (world.sentences.length < length) world.move();
    const [person, at] = world.one([...world.at]);
    return world.story(`Where is ${person}?`, at.place, [at.said]);
  },
  qa2: (length, rng) => {
    const world = new World(rng);
    while (world.sentences.length < length) world.act();
    const known = [...world.things].filter(([, { stays }]) => stays.length > 0);
    if (known.length === 0) return null;
    const [thing, { stays, said }] = world.one(known);
    const last = stays.at(-1)!;
    return world.story(`Where is the ${thing}?`, last.place, [said, last.said]);
  },
  qa3: (length, rng) => {
    const world = new World(rng);
    while (world.sentences.length < length) world.act();
    const known = [...world.things].filter(([, { stays }]) => stays.length > 1);
    if (known.length === 0) return null;
    const [thing, { stays, said }] = world.one(known);
    const last = stays.at(-1)!;
    const before = stays.at(-2)!;
    // "Before" has to be the last time that the thing came there.
    const question = `Where was the ${thing} before the ${last.place}?`;
    return world.story(question, before.place, [said, before.said, last.said]);
  },
  qa4: (_, rng) => {
    const world = new World(rng);
    const [a, b, c] = world.some(PLACES, 3) as [string, string, string];
    const way = world.one(DIRECTIONS);
    world.sentences.push(`The ${a} is ${way} of the ${b}.`, `The ${b} is ${way} of the ${c}.`);
    return rng.nextFloat() < 0.5
      ? world.story(`What is ${way} of the ${b}?`, a, [0])
      : world.story(`What is the ${b} ${way} of?`, c, [1]);
  },
  qa5: (length, rng) => {
    const world = new World(rng);
    const given: {
      readonly from: string;
      readonly to: string;
      readonly thing: string;
      readonly said: number;
    }[] = [];
    const holders = new Map(THINGS.map((thing) => [thing, world.one(GIVERS)]));
    while (world.sentences.length < length) {
      if (rng.nextFloat() < 0.4) {
        world.move(GIVERS);
        continue;
      }
      const thing = world.one(THINGS);
      const from = holders.get(thing)!;
      const to = world.one(GIVERS.filter((person) => person !== from));
      holders.set(thing, to);
      given.push({ from, to, thing, said: world.sentences.length });
      world.sentences.push(`${from} ${world.one(['gave', 'passed', 'handed'])} the ${thing} to ${to}.`);
    }
    const last = given.at(-1);
    if (last === undefined) return null;
    const { from, to, thing, said } = last;
    const forms: readonly (readonly [string, string])[] = [
      [`Who gave the ${thing} to ${to}?`, from],
      [`What did ${from} give to ${to}?`, thing],
      [`Who did ${from} give the ${thing} to?`, to],
      [`Who received the ${thing}?`, to],
    ];
    const [question, answer] = world.one(forms);
    return world.story(question, answer, [said]);
  },
};

interface Stay {
  readonly place: string;
  readonly said: number;
}

/** People who move, and things that go with whoever holds them. */
class World {
  readonly sentences: string[] = [];
  readonly at = new Map<string, Stay>();
  /** Of each thing that was taken: where it has been since, who holds it, and which sentence said so. */
  readonly things = new Map<string, { holder: string | null; said: number; readonly stays: Stay[] }>();

  constructor(private readonly rng: Rng) {}

  one<T>(items: readonly T[]): T {
    return items[this.rng.nextInt(items.length)]!;
  }

  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    return Array.from({ length: count }, () => left.splice(this.rng.nextInt(left.length), 1)[0]!);
  }

  move(people: readonly string[] = PEOPLE): void {
    const person = this.one(people);
    const place = this.one(PLACES.filter((other) => other !== this.at.get(person)?.place));
    const said = this.sentences.length;
    this.at.set(person, { place, said });
    this.sentences.push(
      `${person} ${this.one(['went to', 'moved to', 'journeyed to', 'travelled to'])} the ${place}.`,
    );
    for (const thing of this.things.values()) if (thing.holder === person) thing.stays.push({ place, said });
  }

  /** Move, take or drop. */
  act(): void {
    const free = THINGS.filter((thing) => (this.things.get(thing)?.holder ?? null) === null);
    const draw = this.rng.nextFloat();
    if (draw < 0.2 && free.length > 0) {
      // A thing that lies somewhere is taken by one who is there.
      const thing = this.one(free);
      const lies = this.things.get(thing)?.stays.at(-1)?.place;
      const there = [...this.at].filter(([, { place }]) => lies === undefined || place === lies);
      if (there.length > 0) {
        const [person, stay] = this.one(there);
        const said = this.sentences.length;
        const stays = this.things.get(thing)?.stays ?? [stay];
        this.things.set(thing, { holder: person, said, stays });
        this.sentences.push(`${person} ${this.one(['took', 'grabbed', 'picked up'])} the ${thing}.`);
        return;
      }
    }
    const held = [...this.things].filter(([, { holder }]) => holder !== null);
    if (draw < 0.3 && held.length > 0) {
      const [thing, state] = this.one(held);
      this.sentences.push(`${state.holder!} ${this.one(['dropped', 'left', 'put down'])} the ${thing}.`);
      state.holder = null;
      return;
    }
    this.move();
  }

  story(question: string, answer: string, support: readonly number[]): Story {
    return { sentences: this.sentences, question, answer, support: [...new Set(support)] };
  }
}

/** Draws the facts and the filler of one history from a cast that is reused within it. Seeded; writes nothing. */
import type { Rng } from '../../../base/rng.ts';
import { NoRoomError } from './no-room-error.ts';
import { isHeldOut, type Relation, type Statement, WORLD } from './world.ts';

export interface CastOptions {
  /** Words of each kind that the history uses: small casts make facts share keys. */
  readonly castSize: number;
  /** Only words that have an alias, for questions that avoid the fact's own words. */
  readonly aliasedOnly?: boolean;
  /** Whose people and places this cast must not share, nor what it has told of by then. */
  readonly without?: Chronicler;
  /** Of each list of filler topics, only those at even (0) or odd (1) places: two halves that share none. */
  readonly topicHalf?: 0 | 1;
}

/** Share of lead-ins, tails and topics that training never shows. */
const HELD_OUT_SHARE = 0.5;
const TOPIC_DRIFT = 0.12;
/** Kinds of words that filler names. */
const FILLER_KINDS: readonly string[] = ['name', 'surname', 'place'];
const ATTEMPTS = 1000;
const TRAINED_TOPICS = Object.values(WORLD.topics);
const HELD_OUT_TOPICS = Object.values(WORLD.heldOut.topics);

export function pick<T>(items: readonly T[], rng: Rng): T {
  return items[rng.nextInt(items.length)]!;
}

export function sample<T>(items: readonly T[], count: number, rng: Rng): T[] {
  const left = [...items];
  for (let i = 0; i < Math.min(count, left.length); i++) {
    const j = i + rng.nextInt(left.length - i);
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left.slice(0, count);
}

export class Chronicler {
  private readonly cast = new Map<string, readonly string[]>();
  /** `relation|a|b` of the facts drawn. */
  private readonly used = new Set<string>();
  private readonly recent: string[] = [];
  private topic: readonly string[];

  constructor(
    private readonly rng: Rng,
    private readonly options: CastOptions,
  ) {
    this.topic = this.nextTopic();
  }

  /** The history's words of a kind, drawn when first needed. */
  castOf(kind: string): readonly string[] {
    const known = this.cast.get(kind);
    if (known !== undefined) return known;
    const { castSize, aliasedOnly = false, without } = this.options;
    const taken = FILLER_KINDS.includes(kind) ? (without?.castOf(kind) ?? []) : [];
    const free = WORLD.lexicon[kind]!.filter((word) => !taken.includes(word));
    const aliased = aliasedOnly ? free.filter((word) => word in WORLD.aliases) : [];
    const drawn = sample(aliased.length > 0 ? aliased : free, castSize, this.rng);
    this.cast.set(kind, drawn);
    return drawn;
  }

  /** A new fact of one of the relations, about keys not used before. */
  statement(relations: readonly Relation[]): Statement {
    return this.draw(() => {
      const relation = pick(relations, this.rng);
      const [a, b] = relation.kinds.map((kind) => pick(this.castOf(kind), this.rng));
      return { relation, a: a!, b: b!, value: this.value(relation) };
    });
  }

  /** Facts about one key, each with another value. */
  restatements(relation: Relation, count: number): Statement[] {
    return this.group(() => {
      const said = [this.statement([relation])];
      const { a, b } = said[0]!;
      for (let attempt = 0; said.length < count && attempt < ATTEMPTS; attempt++) {
        const next = { relation, a, b, value: this.value(relation) };
        if (this.fits(next) && said.every(({ value }) => value !== next.value)) said.push(next);
      }
      return said.length === count ? said : null;
    });
  }

  /** A chain of facts: the value of each is the key of the next, and nobody comes up twice. */
  chain(relation: Relation, hops: number): Statement[] {
    return this.group(() => {
      const chain = [this.statement([relation])];
      const { a } = chain[0]!;
      const members = new Set([chain[0]!.b, chain[0]!.value]);
      for (let attempt = 0; chain.length < hops && attempt < ATTEMPTS; attempt++) {
        const b = chain.at(-1)!.value;
        const next = { relation, a, b, value: this.value(relation) };
        if (this.used.has(keyOf(next)) || members.has(next.value) || !this.fits(next)) continue;
        this.used.add(keyOf(next));
        members.add(next.value);
        chain.push(next);
      }
      return chain.length === hops ? chain : null;
    });
  }

  leadIn(): string {
    return pick(this.rng.nextFloat() < HELD_OUT_SHARE ? WORLD.heldOut.leads : WORLD.leads, this.rng);
  }

  tail(): string {
    return pick(this.rng.nextFloat() < HELD_OUT_SHARE ? WORLD.heldOut.tails : WORLD.tails, this.rng);
  }

  /** One sentence of the current topic, which states no fact; the topic drifts. */
  filler(): string {
    const { rng } = this;
    if (rng.nextFloat() < TOPIC_DRIFT) this.topic = this.nextTopic();
    const template = this.freshTemplate();
    let text = template.replace(/\[([^\]]*)\]/g, (_, choices: string) => pick(choices.split('|'), rng));
    const people = sample(this.castOf('name'), text.split('{person}').length - 1, rng);
    for (const name of people) {
      const person = rng.nextFloat() < 0.6 ? name : `${name} ${pick(this.castOf('surname'), rng)}`;
      text = text.replace('{person}', person);
    }
    return text.replaceAll('{place}', pick(this.castOf('place'), rng));
  }

  private nextTopic(): readonly string[] {
    const topics = this.rng.nextFloat() < HELD_OUT_SHARE / 2 ? HELD_OUT_TOPICS : TRAINED_TOPICS;
    const { topicHalf } = this.options;
    const own = topicHalf === undefined ? topics : topics.filter((_, index) => index % 2 === topicHalf);
    return pick(own, this.rng);
  }

  /** A template of the topic that was not among the last few. */
  private freshTemplate(): string {
    const fresh = this.topic.filter((template) => !this.recent.includes(template));
    const template = pick(fresh.length > 0 ? fresh : this.topic, this.rng);
    this.recent.push(template);
    if (this.recent.length > 3) this.recent.shift();
    return template;
  }

  private value(relation: Relation): string {
    return pick(WORLD.lexicon[relation.valueKind]!, this.rng);
  }

  private fits(statement: Statement): boolean {
    const { a, b, value } = statement;
    return isHeldOut(statement) && value !== a && value !== b;
  }

  private draw(propose: () => Statement): Statement {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const statement = propose();
      if (!this.fits(statement) || this.used.has(keyOf(statement))) continue;
      if (this.options.without?.used.has(keyOf(statement)) === true) continue;
      this.used.add(keyOf(statement));
      return statement;
    }
    throw new NoRoomError('The cast has no facts left for so many questions.');
  }

  private group(propose: () => Statement[] | null): Statement[] {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = propose();
      if (found !== null) return found;
    }
    throw new NoRoomError('The cast has no such facts left for so many questions.');
  }
}

function keyOf({ relation, a, b }: Statement): string {
  return `${relation.name}|${a}|${b}`;
}

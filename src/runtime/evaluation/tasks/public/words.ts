/** Words, numbers and identifiers that nobody has seen together. Seeded. */
import type { Rng } from '../../../../base/rng.ts';

const ADJECTIVES =
  'amber ancient bitter blunt bold brisk broad calm clear clever cold crisp curious damp dark dear deep dense dim distant dry dull eager early empty even faint fair fierce firm flat fond fresh gentle golden grand grave hollow humble keen late lean level light lonely loud low mild narrow neat noble odd pale plain proud quick quiet rare ripe rough round sharp short silent slow small smooth soft solid steady steep stern still strange sturdy subtle sunny sweet swift tall tame tender thin tidy tough vast vivid warm wide wild'.split(
    ' ',
  );
const NOUNS =
  'acorn anchor apron arrow atlas badge barrel basin basket beacon bell bench blanket boot bottle bowl branch brick bridge brush bucket button cabin candle canoe canvas carpet cart castle chain chair chalk chest clock cloud coat comb compass copper crown cup curtain desk dial door drum eagle feather fence ferry flag flute forge fork fountain frame garden gate glove goblet hammer harp hat hinge horn island jar jacket kettle key kite ladder lamp lantern lens letter lock loom map mask mill mirror mitten needle nest oar orchard oven paddle parcel pebble pencil piano pillow pipe plank plum pocket pot quilt raft ribbon ring robe rope saddle sail scarf shell shovel sled spoon statue stone table tent thread tower trumpet tunnel vase violin wagon wheel whistle window'.split(
    ' ',
  );

/** Gives words that it never gave before. */
export class FreshWords {
  private readonly given = new Set<string>();

  constructor(private readonly rng: Rng) {}

  /** Two words joined, such as `calm-lantern`. */
  pair(): string {
    return this.fresh(() => `${this.one(ADJECTIVES)}-${this.one(NOUNS)}`);
  }

  /** Seven digits. */
  number(): string {
    return this.fresh(() => String(1_000_000 + this.rng.nextInt(9_000_000)));
  }

  /** Thirty-two hexadecimal digits in five groups. */
  uuid(): string {
    return this.fresh(() => [8, 4, 4, 4, 12].map((length) => this.hex(length)).join('-'));
  }

  /** So many random letters. */
  letters(count: number): string {
    return this.fresh(() =>
      Array.from({ length: count }, () => String.fromCharCode(97 + this.rng.nextInt(26))).join(''),
    );
  }

  private one(words: readonly string[]): string {
    return words[this.rng.nextInt(words.length)]!;
  }

  private hex(length: number): string {
    return Array.from({ length }, () => this.rng.nextInt(16).toString(16)).join('');
  }

  private fresh(draw: () => string): string {
    for (let attempt = 0; ; attempt++) {
      // After all pairs are used up, longer ones follow.
      const word = attempt < 50 ? draw() : `${this.one(ADJECTIVES)}-${draw()}`;
      if (this.given.has(word)) continue;
      this.given.add(word);
      return word;
    }
  }
}

/** Histories made of the paragraphs of SQuAD and HotpotQA, one of them holding what is asked. Seeded. */
import type { Rng } from '../../../../base/rng.ts';
import type { LoadedModel } from '../../../../nn/ports.ts';
import { caseOfText, type EvaluationCase, type SharedHistory } from '../../cases/evaluation-case.ts';
import type { Span } from '../../world/history-writer.ts';
import { NoRoomError } from '../../world/no-room-error.ts';
import type { HotpotQuestion, QaParagraph } from '../../cases/public-data.ts';
import { oneQuestion } from './public-task.ts';

interface Options {
  readonly historyTokens: number;
  readonly questions: number;
  /** RULER numbers its documents. */
  readonly isNumbered?: boolean;
}

/** Earlier turns that show how short an answer is to be; about nothing that a history tells. */
const EXAMPLES = [
  ['What is the capital of France?', 'Paris'],
  ['When did the war end?', '1945'],
] as const;

const INSTRUCTION = '\n\nAnswer with a few words from the text.\n';

/** What is wanted, and the examples in the chat's own words: without them a small base answers in sentences. */
function exampleTurns({ manifest, tokenizer }: LoadedModel): Uint32Array {
  const { userPrefix, userSuffix, assistantPrefix, stop } = manifest.chat;
  const turns = EXAMPLES.flatMap(([question, answer]) => [
    ...tokenizer.encodeTemplate(userPrefix, question, userSuffix),
    ...tokenizer.encodeTemplate(assistantPrefix, answer, `${stop[0] ?? ''}\n`),
  ]);
  return Uint32Array.from([...tokenizer.encode(INSTRUCTION), ...turns]);
}

/** Text as tokens, with the place of every character that a span may ask for. */
class Pages {
  private readonly pieces: Uint32Array[] = [];
  private length = 0;

  constructor(private readonly model: LoadedModel) {}

  get tokens(): number {
    return this.length;
  }

  /** @returns the span of the tokens that hold `wanted` characters of the text. */
  add(text: string, wanted: readonly (readonly [number, number])[] = []): Span[] {
    const ids = this.model.tokenizer.encode(text);
    const decoder = this.model.tokenizer.createStreamDecoder();
    let characters = 0;
    const ends = wanted.length === 0 ? [] : Array.from(ids, (id) => (characters += decoder.push(id).length));
    const start = this.length;
    this.pieces.push(ids);
    this.length += ids.length;
    return wanted.map(([from, to]) => {
      const first = ends.findIndex((end) => end > from);
      const last = ends.findIndex((end) => end >= to);
      return {
        start: start + (first < 0 ? ids.length - 1 : first),
        end: start + (last < 0 ? ids.length : last + 1),
      };
    });
  }

  /** So many tokens, of which the last are others'. */
  ids(all: number, last: Uint32Array): Uint32Array {
    const ids = new Uint32Array(all);
    const tokens = all - last.length;
    ids.set(last, tokens);
    let at = 0;
    for (const piece of this.pieces) {
      ids.set(piece.subarray(0, Math.max(0, tokens - at)), Math.min(at, tokens));
      at += piece.length;
    }
    return ids;
  }
}

/**
 * Whole paragraphs in a drawn order, the examples, and answerable questions about some of the paragraphs.
 *
 * @throws {NoRoomError}
 */
export function writeSquad(
  { historyTokens: all, questions, isNumbered = false }: Options,
  model: LoadedModel,
  paragraphs: readonly QaParagraph[],
  rng: Rng,
): SharedHistory {
  const pages = new Pages(model);
  const examples = exampleTurns(model);
  const historyTokens = all - examples.length;
  const cases: EvaluationCase[] = [];
  for (const [i, paragraph] of shuffled(paragraphs, rng).entries()) {
    if (pages.tokens >= historyTokens) break;
    const answerable = paragraph.questions.filter(({ answers }) => answers.length > 0);
    const head = isNumbered ? `Document ${i + 1}:\n` : '';
    const text = `${i === 0 ? '' : '\n\n'}${head}${paragraph.text}`;
    const asked = answerable.length === 0 ? null : answerable[rng.nextInt(answerable.length)]!;
    const before = text.length - paragraph.text.length;
    const start = pages.tokens;
    const spans = pages.add(
      text,
      (asked?.answers ?? []).map(({ text: answer, start }) => [
        before + start,
        before + start + answer.length,
      ]),
    );
    // A paragraph that is cut at the history's end is not asked about.
    if (asked === null || pages.tokens > historyTokens) continue;
    const values = [...new Set(asked.answers.map(({ text: answer }) => answer))];
    const expected = { kind: 'text', values } as const;
    const item = caseOfText(model, asked.question, values[0]!, expected, spans.slice(0, 1));
    const passage = [
      { start, end: pages.tokens },
      { start: historyTokens, end: all },
    ];
    cases.push({ ...item, passage });
  }
  if (pages.tokens < historyTokens) throw tooShort(pages.tokens + examples.length, all);
  if (cases.length < questions)
    throw new NoRoomError(`${historyTokens} tokens hold only ${cases.length} questions.`);
  return { ids: pages.ids(all, examples), cases: shuffled(cases, rng).slice(0, questions) };
}

/** The documents of one question among those of others. @throws {NoRoomError} */
export function writeHotpot(
  { historyTokens: length }: Options,
  model: LoadedModel,
  all: readonly HotpotQuestion[],
  rng: Rng,
): SharedHistory {
  const examples = exampleTurns(model);
  const historyTokens = length - examples.length;
  const asked = all[rng.nextInt(all.length)]!;
  const needed = asked.documents.filter(({ sentences }) => sentences.some(({ isSupport }) => isSupport));
  const textOf = ({ title, sentences }: HotpotQuestion['documents'][number]): string =>
    `${title}\n${sentences.map(({ text }) => text).join('')}`;
  const taken = new Set(needed.map(({ title }) => title));
  const chosen = [...needed];
  let tokens = chosen.reduce((sum, document) => sum + model.tokenizer.encode(textOf(document)).length + 8, 0);
  for (const document of [...asked.documents, ...shuffled(all, rng).flatMap(({ documents }) => documents)]) {
    if (tokens >= historyTokens) break;
    if (taken.has(document.title)) continue;
    taken.add(document.title);
    chosen.push(document);
    tokens += model.tokenizer.encode(textOf(document)).length + 8;
  }
  // The last one may be cut: it must be none that is needed.
  const last = chosen.length > needed.length ? chosen.pop()! : null;
  const pages = new Pages(model);
  const gold: Span[] = [];
  for (const [i, document] of [...shuffled(chosen, rng), ...(last === null ? [] : [last])].entries()) {
    const head = `${i === 0 ? '' : '\n\n'}Document ${i + 1}:\n${document.title}\n`;
    let at = head.length;
    const wanted = document.sentences.flatMap(({ text, isSupport }) => {
      const from = at;
      at += text.length;
      return isSupport && needed.includes(document) ? [[from, at] as const] : [];
    });
    gold.push(...pages.add(head + document.sentences.map(({ text }) => text).join(''), wanted));
  }
  const end = Math.max(...gold.map((span) => span.end));
  if (end > historyTokens) {
    throw new NoRoomError(`${historyTokens} tokens cannot hold the documents of one question (${end}).`);
  }
  while (pages.tokens < historyTokens) pages.add('\n');
  const expected = { kind: 'text', values: [asked.answer] } as const;
  return oneQuestion(model, pages.ids(length, examples), asked.question, expected, gold);
}

function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function tooShort(tokens: number, wanted: number): NoRoomError {
  return new NoRoomError(
    `The paragraphs have ${tokens} tokens; the length asked for is ${wanted}. Lower --lengths.`,
  );
}

import { expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { DEFAULT_POLICIES, EVALUATION_POLICIES, type EvaluationPolicyId } from '../baselines/policies.ts';
import { caseOfText, type EvaluationCase } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { answerAll } from './answering.ts';

const model = createFakeModel();
const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 };
const step = () => Promise.resolve();
const ids = Uint32Array.from({ length: 700 }, (_, i) => 97 + ((i * 7) % 26));
const gold = [{ start: 64, end: 96 }];
const policies = EVALUATION_POLICIES.map(({ id }) => id);

async function decodedTexts(
  item: EvaluationCase,
  asked: readonly EvaluationPolicyId[],
): Promise<Map<string, string>> {
  const tree = await rememberHistory(model, ids, undefined, step);
  const ports = { model, clock: systemClock, step };
  const answers = await answerAll({ ids, cases: [item] }, tree, asked, config, 1, ports);
  return new Map([...answers].map(([policy, [answer]]) => [policy, answer!.decoded!.text]));
}

const caseWith = (reference: string): EvaluationCase =>
  caseOfText(model, 'which one?', reference, { kind: 'in-order', values: [reference] }, gold);

it('decodes the same text whatever the reference is: nothing of it reaches the model', async () => {
  const text = await decodedTexts(caseWith('amber'), DEFAULT_POLICIES);
  expect(text.size).toBe(DEFAULT_POLICIES.length);
  expect(new Set(text.values()).size).toBeGreaterThan(1);
  for (const reference of ['b', 'a rather longer reference', text.get('gold')!]) {
    expect(await decodedTexts(caseWith(reference), DEFAULT_POLICIES)).toEqual(text);
  }
});

it('would decode another text if one token of the reference leaked', async () => {
  const item = caseWith('amber');
  const [token] = item.referenceIds;
  for (const policy of DEFAULT_POLICIES) {
    const leaking = {
      ...item,
      asked: {
        ...item.asked,
        question: `${item.asked.question}${model.tokenizer.tokenText(token!)}`,
        assistantIds: Uint32Array.of(...item.asked.assistantIds, token!),
      },
    };
    const own = await decodedTexts(item, [policy]);
    expect([policy, (await decodedTexts(leaking, [policy])).get(policy)]).not.toEqual([
      policy,
      own.get(policy),
    ]);
  }
});

it('judges the decoded text, not the reading of the reference', async () => {
  const own = (await decodedTexts(caseWith('amber'), ['gold'])).get('gold')!;
  const tree = await rememberHistory(model, ids, undefined, step);
  const ports = { model, clock: systemClock, step };
  const right = caseOfText(model, 'which one?', 'zq', { kind: 'in-order', values: [own] }, gold);
  const [answer] = (await answerAll({ ids, cases: [right] }, tree, ['gold'], config, 1, ports)).get('gold')!;
  expect(answer!.verdict!.isAnswered).toBe(true);
  expect(answer!.isReferenceRead).toBe(false);
});

it('counts what the base reads: the window and the answer, and all that an oracle tries', async () => {
  const tree = await rememberHistory(model, ids, undefined, step);
  const ports = { model, clock: systemClock, step };
  const answers = await answerAll({ ids, cases: [caseWith('amber')] }, tree, policies, config, 1, ports);
  const of = (id: EvaluationPolicyId) => answers.get(id)![0]!;
  for (const policy of policies) {
    const { baseTokens, layout, decoded } = of(policy);
    expect(baseTokens).toBeGreaterThanOrEqual(layout.usedTokens + decoded!.tokens);
  }
  expect(of('answer-oracle').baseTokens).toBeGreaterThan(4 * of('gists').baseTokens);
  expect(of('full').layout.usedTokens).toBeGreaterThan(ids.length);
});

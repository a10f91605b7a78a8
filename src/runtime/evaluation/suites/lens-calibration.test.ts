import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { expectedGainNats } from '../../../core/policies/score-unit.ts';
import { Rng } from '../../../base/rng.ts';
import { withPerceiver } from '../../testing/engine-fixture.ts';
import { caseOfText } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import {
  type CalibratedMove,
  calibrate,
  rankCorrelation,
  worthAgreement,
  worthwhileMoves,
} from './lens-calibration.ts';

function move(worthNats: number, lensnet: number, halvesNats: readonly [number, number]): CalibratedMove {
  const others = { 'newest-blocks': 0, 'random-blocks': 0, 'bm25-blocks': 0, cosine: 0, 'gist-attention': 0 };
  return { worthNats, halvesNats, scores: { ...others, lensnet, gold: worthNats > 0.5 ? 1 : 0 } };
}

it('only moves that stand out from the noise of all are worth a correlation of their own', () => {
  const noise = Array.from({ length: 20 }, (_, i) => move((i % 2 === 0 ? 1 : -1) * 0.03, 0, [i, -i]));
  const telling = [0.9, 0.4, -0.2, 0.14].map((worth, i) => move(worth, -i, [i, i]));
  expect(worthwhileMoves([...noise, ...telling])).toEqual(telling);
  expect(worthwhileMoves(telling.map((each) => ({ ...each, worthNats: 0.019 })))).toEqual([]);
  expect(rankCorrelation(telling, 'lensnet')).toBeCloseTo(0.8, 9);
});

it('gains of which one half of the answer says the opposite of the other are no measure', () => {
  const moves = [0.1, 0.2, 0.3, 0.4].map((worth) => move(worth, 0, [worth, -worth]));
  expect(worthAgreement(moves)).toBeCloseTo(-1, 9);
  expect(worthAgreement(moves.slice(1))).toBeNull();
});

it('asks the LensNet that the parameters name, and takes its scores for the gains that they stand for', async () => {
  const model = withPerceiver();
  const ids = Uint32Array.from({ length: 640 }, (_, i) => 97 + (i % 26));
  const tree = await rememberHistory(model, ids, undefined, () => Promise.resolve());
  const item = caseOfText(model, 'q', 'a', { kind: 'in-order', values: ['a'] }, [{ start: 64, end: 96 }]);
  const scoresBy = async (lensVariant: 'default' | 'perceiver') => {
    const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64, lensVariant };
    const nll = () => Promise.resolve(new Float64Array(2));
    const { moves } = await calibrate({ tree, item, config, model, rng: new Rng(1), nll });
    return new Set(moves.map(({ scores }) => scores.lensnet));
  };
  const standFor = new Set([expectedGainNats(0.25, 1), expectedGainNats(0.25, 0)]);
  expect(await scoresBy('perceiver')).toEqual(standFor);
  expect((await scoresBy('default')).size).toBeGreaterThan(2);
});

/** What the shipped model's surprise says of a text, and of which model it says nothing. */
import { expect, it } from 'vitest';
import type { BootReport, SessionState } from '../../runtime/engine/protocol/protocol.ts';
import { createModel } from './model.ts';
import { fakeEngine } from './testing/fake-engine.ts';

function scene(nll: number, modelId = 'tiny', cursor = 1000) {
  const tokens = [20, 20, nll, nll, nll].map((each) => ({ text: 'x', nll: each }));
  const engine = fakeEngine(({ kind }) => (kind === 'scoreContinuation' ? { tokens, meanNll: nll } : []));
  const model = createModel(engine.port);
  const session = { record: { id: 's' }, cursor } as unknown as SessionState;
  model.mirror.setState({ boot: { model: { id: modelId } } as unknown as BootReport, session });
  return { model, sent: engine.sent, state: () => model.ownLanguage.store.getState() };
}

it('names a question that is foreign to it, and forgets it with the next', async () => {
  const { model, state } = scene(8);
  await model.ownLanguage.checkQuestion('Who wrote Hamlet?');
  expect(state().question).toEqual({ sessionId: 's', name: 'Who wrote Hamlet?', nll: 8 });
  const own = scene(2.6);
  await own.model.ownLanguage.checkQuestion('What does a wig cost at Rosen?');
  expect(own.state().question).toBeNull();
});

it('names a foreign document once there is a history, and asks nothing of another base', async () => {
  const { model, state, sent } = scene(7, 'tiny', 0);
  const checking = model.ownLanguage.checkDocument('import numpy as np', 'code.py');
  expect(sent).toEqual([]);
  const session = { ...model.mirror.getState().session!, cursor: 96 };
  model.mirror.setState({ session });
  await checking;
  expect(state().document).toMatchObject({ name: 'code.py', nll: 7 });
  const other = scene(9, 'smollm2');
  await other.model.ownLanguage.checkQuestion('Who wrote Hamlet?');
  expect(other.state().question).toBeNull();
  expect(other.sent).toEqual([]);
});

/** What people are told when memory runs out while a model is loaded. */
import { expect, it } from 'vitest';
import { modelProblem } from './model-problem.ts';

it.each([
  new RangeError('Array buffer allocation failed'),
  new RangeError('Invalid typed array length: 9999999999'),
  new WebAssembly.RuntimeError('abort(OOM)'),
  new Error('Cannot enlarge memory arrays'),
])('says in words that the memory did not suffice: %s', (error) => {
  expect(modelProblem(error, 'No model is loaded now.')).toMatchObject({
    name: 'EngineError',
    code: 'bad-model',
    message: 'There was not enough memory for this model.',
    kept: 'No model is loaded now.',
    tryNext: expect.stringContaining('smaller model') as unknown,
  });
});

it('leaves other errors as they are', () => {
  const bug = new TypeError('x is not a function');
  expect(modelProblem(bug)).toBe(bug);
});

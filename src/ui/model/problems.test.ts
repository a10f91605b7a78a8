/** What a problem says to people. */
import { expect, it } from 'vitest';
import { Problems } from './problems.ts';

it('names what happened, never the class of the error', () => {
  const problems = new Problems();
  const advice = { message: 'The disk is full.', kept: '', tryNext: '' };
  problems.reportWireError({ name: 'StorageError', code: 'quota', ...advice });
  problems.reportWireError({ name: 'TypeError', code: 'failed', ...advice });
  const titles = problems.store.getState().problems.map(({ title }) => title);
  expect(titles).toEqual(['The session could not be saved', 'Something went wrong in the engine']);
});

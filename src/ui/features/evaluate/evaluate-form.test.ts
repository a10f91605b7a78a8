import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comparedBy, type EvaluateForm, readForm } from './evaluate-form.ts';
import { estimateWork, slotsOfWork } from './work-estimate.ts';

const FORM: EvaluateForm = {
  suite: 'recall',
  tasks: ['single', 'multi-key'],
  policies: ['newest-blocks', 'lensnet'],
  arms: [],
  templates: 'held-out',
  lengths: '16x, 4096; 4x 1,024'.replace('1,024', '1024'),
  samples: '20',
  budget: '256',
  seed: '1',
};

it('reads lengths as tokens and as multiples of the budget', () => {
  const reading = readForm(FORM);
  expect(reading).toEqual({
    ok: true,
    options: {
      suite: 'recall',
      tasks: ['single', 'multi-key'],
      policies: ['newest-blocks', 'lensnet'],
      arms: [],
      templates: 'held-out',
      historyTokens: [1024, 4096],
      samples: 20,
      budgetTokens: 256,
      seed: 1,
    },
  });
});

it('names every field that is wrong', () => {
  const reading = readForm({
    ...FORM,
    tasks: [],
    policies: [],
    lengths: '4y',
    samples: '0',
    budget: '',
    seed: '-1',
  });
  expect(reading.ok ? [] : Object.keys(reading.errors).sort()).toEqual([
    'budget',
    'lengths',
    'policies',
    'samples',
    'seed',
    'tasks',
  ]);
  for (const lengths of ['', '32', '99999999', '0x', '1e9', Array(17).fill('4x').join(' ')]) {
    expect(readForm({ ...FORM, lengths })).toMatchObject({ ok: false });
  }
});

it('takes digits grouped in any way, and refuses a list that could be one number', () => {
  expect(readForm({ ...FORM, lengths: '65.536', budget: '1,024', samples: '1 000' })).toMatchObject({
    options: { historyTokens: [65_536], budgetTokens: 1024, samples: 1000 },
  });
  for (const lengths of ['65,536', '128 256', '4x, 65,536']) {
    const reading = readForm({ ...FORM, lengths });
    expect(reading.ok ? '' : reading.errors.lengths).toMatch(/may be one length or two/);
  }
  expect(readForm({ ...FORM, lengths: '128; 256, 4096,8192' })).toMatchObject({
    options: { historyTokens: [128, 256, 4096, 8192] },
  });
});

it('asks for no policies where the suite takes none, and counts its placements', () => {
  const form = { ...FORM, suite: 'positions', policies: [] };
  expect(readForm(form).ok).toBe(false);
  const reading = readForm({ ...form, policies: ['newest-blocks'] }, null);
  if (!reading.ok) throw new Error('refused');
  expect(reading.options.policies).toEqual([]);
  expect(estimateWork(reading.options, null).answers).toBe(2 * 4 * 2 * 20);
});

it('asks for ways to read where the suite compares those', () => {
  const suite = { arms: ['one window', '4 heads'], defaultPolicies: [] };
  expect(comparedBy(suite)).toBe('arms');
  expect(comparedBy({ arms: [], defaultPolicies: ['lensnet'] })).toBe('policies');
  expect(comparedBy({ arms: [], defaultPolicies: [] })).toBeNull();
  const none = readForm({ ...FORM, suite: 'heads' }, 'arms');
  expect(none.ok ? null : none.errors).toEqual({ arms: 'Choose at least one.' });
  const reading = readForm({ ...FORM, suite: 'heads', arms: ['4 heads'] }, 'arms');
  if (!reading.ok) throw new Error('refused');
  expect(reading.options).toMatchObject({ policies: [], arms: ['4 heads'] });
  expect(estimateWork(reading.options, null).answers).toBe(2 * 1 * 2 * 20);
});

it('never throws, whatever is typed', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (lengths, samples) => {
      const reading = readForm({ ...FORM, lengths, samples });
      if (reading.ok) expect(reading.options.historyTokens.every((tokens) => tokens >= 64)).toBe(true);
    }),
  );
});

it('estimates the work, and the time once a run has told the pace', () => {
  const reading = readForm(FORM);
  if (!reading.ok) throw new Error('The form is valid.');
  const estimate = estimateWork(reading.options, null);
  expect(estimate).toEqual({
    answers: 160,
    compressedTokens: 4 * (1024 + 4096),
    readSlots: 2 * 2 * 20 * 512,
    durationMs: null,
  });
  expect(estimateWork(reading.options, 0.5).durationMs).toBe(slotsOfWork(estimate) / 2);
});

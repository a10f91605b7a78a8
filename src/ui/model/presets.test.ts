import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, applyConfigChanges } from '../../core/trace/config.ts';
import { chaptersOf, presetsFor } from './presets.ts';

const EXAMPLE = join(import.meta.dirname, '../../../public/examples/harbour-chronicle');
const text = readFileSync(`${EXAMPLE}.txt`, 'utf8');
const { questions } = JSON.parse(readFileSync(`${EXAMPLE}.json`, 'utf8')) as {
  questions: { question: string; answer: string }[];
};

describe('the presets', () => {
  it.each(presetsFor(DEFAULT_RUN_CONFIG))(
    '$id has parameters that the engine takes',
    ({ config, change }) => {
      const started = applyConfigChanges(DEFAULT_RUN_CONFIG, config);
      if (change) expect(applyConfigChanges(started, change.config)).not.toEqual(started);
    },
  );

  it.each(presetsFor(DEFAULT_RUN_CONFIG))('$id asks what its own text says', ({ chapters, question }) => {
    const read = chapters.map((numbers) => chaptersOf(text, numbers)).join('');
    expect(read.length).toBeGreaterThan(10_000);
    if (question === null) return;
    for (const part of question.split(/(?<=\?) /)) {
      const { answer } = questions.find((listed) => listed.question === part)!;
      expect(read.toLowerCase()).toContain(answer.replace(/\.$/, '').toLowerCase());
    }
  });

  it('thrashing gives back every parameter that it took, and leaves the dice', () => {
    const { config, change } = presetsFor(DEFAULT_RUN_CONFIG).find(({ id }) => id === 'thrashing')!;
    const changed = applyConfigChanges(applyConfigChanges(DEFAULT_RUN_CONFIG, config), change!.config);
    expect(changed).toEqual({ ...DEFAULT_RUN_CONFIG, policy: 'random' });
  });

  it('cuts chapters whole and skips those that are not there', () => {
    expect(chaptersOf('Title\n\nChapter One: A\n\na\n\nChapter Two: B\n\nb\n', [2, 9, 1])).toBe(
      'Chapter Two: B\n\nb\nChapter One: A\n\na\n\n',
    );
  });
});

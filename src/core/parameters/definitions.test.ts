import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from './definitions.ts';
import { PARAMETERS } from './parameters.ts';

describe('definitions', () => {
  it('have one for every parameter, and names of their own', () => {
    const ids: string[] = DEFINITIONS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { definition } of PARAMETERS) expect(ids).toContain(definition);
  });

  it('stand each for something that the page shows or a parameter sets', () => {
    const used = new Set<string>([...PARAMETERS.map(({ definition }) => definition), 'block']);
    expect(DEFINITIONS.filter(({ id }) => !used.has(id))).toEqual([]);
  });
});

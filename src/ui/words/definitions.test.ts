import { describe, expect, it } from 'vitest';
import { PARAMETERS } from '../../core/trace/parameters.ts';
import { DEFINITIONS, DEFINITION_OF } from './definitions.ts';

describe('definitions', () => {
  it('have one for every parameter, and names of their own', () => {
    const ids = DEFINITIONS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id } of PARAMETERS) expect(ids).toContain(DEFINITION_OF[id]);
  });

  it('stand each for something that the page shows or a parameter sets', () => {
    const used = new Set<string>([...Object.values(DEFINITION_OF), 'block']);
    expect(DEFINITIONS.filter(({ id }) => !used.has(id))).toEqual([]);
  });
});

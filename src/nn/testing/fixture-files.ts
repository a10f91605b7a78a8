/** Test support: reads the golden fixtures of `tests/fixtures/` from disk under Node. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fixture } from './fixture-parity.ts';

const FIXTURES = join(import.meta.dirname, '../../../tests/fixtures');

export interface FixtureFiles {
  readonly fixture: Fixture;
  readonly weights: ArrayBuffer;
  readonly io: ArrayBuffer;
}

/** The fixtures that have weights of their own, by name. */
export function fixtureNames(): readonly string[] {
  return readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'weights.safetensors')));
}

export function readFixture(name: string): FixtureFiles {
  const bytesOf = (file: string): ArrayBuffer =>
    new Uint8Array(readFileSync(join(FIXTURES, name, file))).buffer;
  const fixture = JSON.parse(new TextDecoder().decode(bytesOf('fixture.json'))) as Fixture;
  return { fixture, weights: bytesOf('weights.safetensors'), io: bytesOf('io.safetensors') };
}

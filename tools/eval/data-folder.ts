/** Reads the public data that tasks need from a folder: `*.txt` prose, `squad.json`, `hotpotqa.json`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DataParts,
  parseHotpot,
  parseSquad,
  type PublicData,
} from '../../src/runtime/evaluation/cases/public-data.ts';
import { OptionError } from '../command-line.ts';

const SQUAD = 'squad.json';
const HOTPOT = 'hotpotqa.json';

/** @throws {OptionError} if there is no such folder. */
export function partsOf(folder: string): DataParts {
  if (!existsSync(folder)) {
    throw new OptionError(`--data: there is no folder ${folder}. Run npm run eval:data to make one.`);
  }
  return {
    prose: textFiles(folder).length > 0,
    squad: existsSync(join(folder, SQUAD)),
    hotpot: existsSync(join(folder, HOTPOT)),
  };
}

/** Each part is read and checked once, when a task first needs it. */
export function openData(folder: string): PublicData {
  const once = <T>(load: () => T): (() => T) => {
    let known: { readonly value: T } | null = null;
    return () => (known ??= { value: load() }).value;
  };
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const prose = once(() => textFiles(folder).map(text).join('\n\n'));
  const squad = once(() => parseSquad(text(SQUAD), join(folder, SQUAD)));
  const hotpot = once(() => parseHotpot(text(HOTPOT), join(folder, HOTPOT)));
  return {
    get prose() {
      return prose();
    },
    get squad() {
      return squad();
    },
    get hotpot() {
      return hotpot();
    },
  };
}

/** In the order of their names, so that the same folder gives the same histories. */
function textFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt') && name !== 'LICENCES.txt')
    .sort();
}

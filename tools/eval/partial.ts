/** Results of finished units beside the report, line by line, so that an interrupted run can go on. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { UnitResult } from '../../src/runtime/evaluation/run/run-suite.ts';
import { unitKey } from '../../src/runtime/evaluation/plan/suite.ts';
import { OptionError } from '../command-line.ts';

export class PartialResults {
  readonly results: UnitResult[] = [];
  private readonly seen = new Set<string>();

  /**
   * @param path - null keeps nothing.
   * @param run - names the run; results of another one are refused.
   * @throws {OptionError} if the file is of another run.
   */
  constructor(
    private readonly path: string | null,
    run: string,
    isResumed: boolean,
  ) {
    if (path === null) return;
    if (isResumed && existsSync(path)) this.read(path, run);
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${run}\n`);
    }
  }

  has(key: string): boolean {
    return this.seen.has(key);
  }

  add(result: UnitResult): void {
    this.keep(result);
    if (this.path !== null) appendFileSync(this.path, `${JSON.stringify(result)}\n`);
  }

  /** The report is written: nothing is left to resume. */
  remove(): void {
    if (this.path !== null) rmSync(this.path, { force: true });
  }

  private read(path: string, run: string): void {
    const [head, ...lines] = readFileSync(path, 'utf8').split('\n');
    if (head !== run) {
      throw new OptionError(
        `${path} holds results of another run (other options, model or code). Leave --resume out to start anew.`,
      );
    }
    let good = Buffer.byteLength(run) + 1;
    for (const line of lines) {
      // A line that was being written when the run died ends without a line break: it is dropped.
      const result = parsed(line);
      if (result === null) break;
      this.keep(result);
      good += Buffer.byteLength(line) + 1;
    }
    truncateSync(path, good);
  }

  private keep(result: UnitResult): void {
    this.results.push(result);
    this.seen.add(unitKey(result.unit));
  }
}

function parsed(line: string): UnitResult | null {
  try {
    return line === '' ? null : (JSON.parse(line) as UnitResult);
  } catch {
    return null;
  }
}

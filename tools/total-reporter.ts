/** Ends the test run's output with its total alone on the last line: `N passed, N failed`. */
import type { Reporter, TestModule } from 'vitest/node';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The line that build servers read; skipped tests are named where there are any. */
export function totalLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

export class TotalReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { failed: 0, skipped: 0, passed: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') counts[state]++;
      }
    }
    process.stdout.write(`\n${totalLine(counts)}\n`);
  }
}

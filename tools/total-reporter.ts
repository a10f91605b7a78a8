/** Ends the test run's output with its total on one line, in the form that build servers know from Jest. */
import type { Reporter, TestModule } from 'vitest/node';

export class TotalReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { failed: 0, skipped: 0, passed: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') counts[state]++;
      }
    }
    const parts = Object.entries(counts).flatMap(([state, count]) =>
      count > 0 ? [`${count} ${state}`] : [],
    );
    const total = counts.failed + counts.skipped + counts.passed;
    process.stdout.write(`Tests: ${[...parts, `${total} total`].join(', ')}\n`);
  }
}

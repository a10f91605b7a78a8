import { defineConfig } from 'vitest/config';
import { buildKernels } from './tools/build-kernels.ts';
import { TotalReporter } from './tools/total-reporter.ts';

// Every test that runs a model needs them.
await buildKernels();

export default defineConfig({
  test: {
    reporters: ['default', new TotalReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.{ts,tsx}',
            'tools/**/*.test.ts',
            'tests/property/**/*.test.ts',
            'tests/fault/**/*.test.ts',
            'tests/docs/**/*.test.ts',
            'tests/real-base/**/*.test.ts',
          ],
          environment: 'node',
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          environment: 'node',
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // A software-drawn page on a busy machine answers a key after seconds.
          expect: { poll: { timeout: 30_000 } },
          fileParallelism: false,
        },
      },
    ],
  },
});

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { buildKernels } from './tools/build-kernels.ts';
import { chartPlugin } from './tools/vite-chart-plugin.ts';
import { cspPlugin, SECURITY_HEADERS } from './tools/vite-csp-plugin.ts';
import { trimSchemasPlugin, trimTensorFlowPlugin } from './tools/vite-trim-plugin.ts';
import { modelsPlugin } from './tools/vite-models-plugin.ts';

// Cross-origin isolation turns on WASM threads; static hosts without these headers fall back to one thread.
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Of the working tree, for reports that say what was measured; null outside git, as in a downloaded archive. */
function commit(): string | null {
  try {
    const options = {
      encoding: 'utf8' as const,
      stdio: ['ignore', 'pipe', 'ignore'] as ('ignore' | 'pipe')[],
    };
    return execFileSync('git', ['rev-parse', 'HEAD'], options).trim();
  } catch {
    return null;
  }
}

await buildKernels();

export default defineConfig({
  base: './',
  define: { __BUILD_COMMIT__: JSON.stringify(commit()) },
  plugins: [
    react(),
    cspPlugin(),
    chartPlugin(),
    trimTensorFlowPlugin(),
    trimSchemasPlugin(),
    modelsPlugin(fileURLToPath(new URL('./models', import.meta.url))),
  ],
  worker: { format: 'es', plugins: () => [trimTensorFlowPlugin(), trimSchemasPlugin()] },
  // The page runs the core and single backends. The package of that name brings layers, a converter, data sets and
  // WebGL besides, and registers every gradient (see `#tfjs-gradients` in package.json).
  resolve: { alias: [{ find: /^@tensorflow\/tfjs$/, replacement: '@tensorflow/tfjs-core' }] },
  // What the worker fetches later would otherwise be found late, and the page reloaded for it.
  optimizeDeps: {
    include: [
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-core/dist/register_all_gradients.js',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-backend-webgpu',
    ],
  },
  server: { headers: isolation },
  preview: { headers: { ...isolation, ...SECURITY_HEADERS } },
  build: { target: 'es2022', chunkSizeWarningLimit: 2500 },
});

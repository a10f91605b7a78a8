/** Serves `models/` under `/models/` in development and copies it, byte for byte, into the build. */
import { createReadStream } from 'node:fs';
import { cp, stat } from 'node:fs/promises';
import { join, normalize, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';

const PREFIX = '/models/';

/** @param folder - absolute path of the models folder. */
export function modelsPlugin(folder: string): Plugin {
  let outDir = '';
  return {
    name: 'models',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
        if (!path.startsWith(PREFIX)) {
          next();
          return;
        }
        void serve(folder, path.slice(PREFIX.length)).then((found) => {
          if (found === null) {
            response.statusCode = 404;
            response.end(`No such model file: ${path}`);
            return;
          }
          response.setHeader('Content-Type', found.type);
          response.setHeader('Content-Length', found.bytes);
          createReadStream(found.file).pipe(response);
        });
      });
    },
    async closeBundle() {
      if (outDir !== '') await cp(folder, join(outDir, 'models'), { recursive: true });
    },
  };
}

async function serve(
  folder: string,
  relative: string,
): Promise<{ readonly file: string; readonly bytes: number; readonly type: string } | null> {
  const file = normalize(join(folder, relative));
  if (!file.startsWith(folder + sep)) return null;
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) return null;
  return {
    file,
    bytes: found.size,
    type: file.endsWith('.json') ? 'application/json' : 'application/octet-stream',
  };
}

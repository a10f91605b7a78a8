/** Gives the chart library a copy of D3 of its own, in the chunk that is fetched with the charts. */
import type { Plugin } from 'vite';

const CHARTS = '@observablehq/plot/';
const MARK = '?chart';
/** D3's packages and what they stand on. */
const D3 = /^(d3(-[a-z-]+)?|internmap|delaunator)$/;

/**
 * D3 ships each of its packages as one file, so a package that both the first load and the charts use lands in the
 * first load with everything that only the charts need of it.
 */
export function chartPlugin(): Plugin {
  return {
    name: 'chart-d3',
    apply: 'build',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (importer === undefined || !D3.test(source)) return null;
      if (!importer.includes(CHARTS) && !importer.endsWith(MARK)) return null;
      const found = await this.resolve(source, importer.replace(MARK, ''), { skipSelf: true });
      return found && { ...found, id: `${found.id}${MARK}` };
    },
  };
}

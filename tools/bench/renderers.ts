/** The renderer processes of browsers on this machine, and what they hold. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Of every browser on this machine, by Linux's process table; none elsewhere. */
export function rendererProcesses(): readonly string[] {
  if (!existsSync('/proc/self/status')) return [];
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('--type=renderer');
    } catch {
      return false;
    }
  });
}

/** The largest of them: a page's own renderer beside a spare one. */
export function residentBytes(pids: readonly string[]): number {
  const sizes = pids.map((pid) => {
    try {
      return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN);
    } catch {
      return 0;
    }
  });
  return sizes.length === 0 ? NaN : Math.max(...sizes);
}

/**
 * Keeps the newest reports across reloads, in localStorage: a few hundred kilobytes that belong to the page and to
 * no session. What does not fit is left out, the oldest first, and the caller hears of it.
 */
import { parseReport, type EvaluationReport } from '../../../core/evaluation-report/report.ts';

export interface KeptReport {
  readonly id: string;
  readonly name: string;
  readonly isComplete: boolean;
  readonly report: EvaluationReport;
}

/** What the shelf needs of localStorage. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const STORAGE_KEY = 'megacontext-playground.evaluations';
/** Characters; browsers give an origin about five million. */
const MOST_CHARACTERS = 2_000_000;

/** What was kept; what cannot be read any more is left out. Never throws. */
export function readShelf(storage: TextStorage): readonly KeptReport[] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(STORAGE_KEY) ?? '[]');
    return Array.isArray(stored) ? stored.flatMap(readKept) : [];
  } catch {
    return [];
  }
}

/**
 * Keep these reports instead of what was kept.
 *
 * @param kept - the newest first.
 * @returns how many were kept: fewer than given where space is short or storage is forbidden. Never throws.
 */
export function writeShelf(
  kept: readonly KeptReport[],
  storage: TextStorage,
  mostCharacters = MOST_CHARACTERS,
): number {
  for (let count = kept.length; count >= 0; count--) {
    const text = JSON.stringify(kept.slice(0, count));
    if (text.length > mostCharacters && count > 0) continue;
    try {
      storage.setItem(STORAGE_KEY, text);
      return count;
    } catch {
      // Full or forbidden: fewer may fit.
    }
  }
  return 0;
}

function readKept(value: unknown): KeptReport[] {
  const { id, name, isComplete, report } = (value ?? {}) as Partial<Record<keyof KeptReport, unknown>>;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof isComplete !== 'boolean') return [];
  try {
    return [{ id, name, isComplete, report: parseReport(JSON.stringify(report), name) }];
  } catch {
    return [];
  }
}

/** A log of a chat or of a coding assistant; what reads them is fetched with the first file. */
import type { HistoryReading } from '../../../core/history-import/import-history.ts';

export async function readHistory(text: string): Promise<HistoryReading> {
  const { importHistory } = await import('../../../core/history-import/import-history.ts');
  return importHistory(text);
}

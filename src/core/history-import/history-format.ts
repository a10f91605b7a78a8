/** What a log of a chat or of a coding assistant comes to, whatever its format, and what each reader of one gives. */
import type { Role } from '../tree/provenance.ts';

export interface ImportedMessage {
  readonly role: Role;
  readonly text: string;
  /** Milliseconds since 1970, where the log says when. */
  readonly timeMs: number | null;
  /** Names a tool or a document; null for what a person or the model said. */
  readonly label: string | null;
}

export interface ImportedHistory {
  /** The format that the file was taken for, in words. */
  readonly format: string;
  readonly messages: readonly ImportedMessage[];
  /** What was left out, in words, with how often. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** The parsed content of a file: one JSON value, or a value a line. */
export interface LogContent {
  readonly values: readonly unknown[];
  readonly isLines: boolean;
}

export interface HistoryFormat {
  readonly id: string;
  readonly title: string;
  recognises(content: LogContent): boolean;
  read(content: LogContent, out: HistoryBuilder): void;
}

/** Collects messages; leaves out empty ones and counts what was skipped. */
export class HistoryBuilder {
  readonly messages: ImportedMessage[] = [];
  readonly skipped = new Map<string, number>();

  add(role: Role, text: string, timeMs: number | null, label: string | null = null): void {
    if (text.trim() === '') return;
    this.messages.push({ role, text, timeMs, label });
  }

  skip(what: string, times = 1): void {
    this.skipped.set(what, (this.skipped.get(what) ?? 0) + times);
  }

  /** Add all that another one collected. */
  take(other: HistoryBuilder): void {
    this.messages.push(...other.messages);
    for (const [what, times] of other.skipped) this.skip(what, times);
  }
}

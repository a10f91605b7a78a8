/** Gathers what a recording shows while its parts arrive: the run, who wrote what, and the answers. Pure. */
import type { TelemetryEvent, TraceHeader } from '../../core/trace/telemetry.ts';
import type { TracePart } from '../../runtime/engine/client-traces.ts';
import type { ProvenanceRun } from '../../runtime/engine/protocol/protocol.ts';
import { Run } from './run.ts';
import type { StreamedToken } from './conversation.ts';

export class RecordingReader {
  /** Null before the first part. */
  header: TraceHeader | null = null;
  readonly run = new Run();
  readonly provenance: ProvenanceRun[] = [];
  readonly answers: StreamedToken[][] = [];

  accept({ header, events }: TracePart): void {
    this.header = header;
    this.run.append(events);
    for (const event of events) {
      if (event.type === 'ingest') this.#acceptIngest(event);
      else if (event.type === 'decode') this.#acceptToken(event);
    }
  }

  /** A trace names no titles; the document's id stands for one. */
  #acceptIngest({ start, end, role, documentId }: Extract<TelemetryEvent, { type: 'ingest' }>): void {
    const last = this.provenance.at(-1);
    const goesOn = last?.documentId === documentId && last.role === role && last.end === start;
    if (goesOn) this.provenance[this.provenance.length - 1] = { ...last, end };
    else this.provenance.push({ start, end, role, documentId, title: documentId, wallClockMs: 0 });
  }

  #acceptToken({ text, index, step }: Extract<TelemetryEvent, { type: 'decode' }>): void {
    const token = { text, tokenIndex: index, step };
    const answer = this.answers.at(-1);
    if (answer?.at(-1)?.tokenIndex === index - 1) answer.push(token);
    else this.answers.push([token]);
  }
}

/** The trace file that is being read or shown; null while the page shows the open session. */
import { create } from 'zustand';
import type { TraceHeader } from '../../../core/trace/telemetry.ts';
import type { ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import type { StreamedToken } from '../chat/chat-store.ts';

export interface Recording {
  readonly fileName: string;
  /** The file itself, to write it in other formats. */
  readonly file: Blob;
  readonly header: TraceHeader;
  readonly provenance: readonly ProvenanceRun[];
  /** What the model wrote in it, one list an answer. */
  readonly answers: readonly (readonly StreamedToken[])[];
  /** What was left out of it, in words. */
  readonly notes: readonly string[];
}

interface RecordingStore {
  readonly reading: {
    readonly fileName: string;
    readonly readBytes: number;
    readonly totalBytes: number;
  } | null;
  readonly recording: Recording | null;
}

export const useRecording = create<RecordingStore>()(() => ({ reading: null, recording: null }));

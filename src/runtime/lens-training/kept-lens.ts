/** Keeps a session's own LensNet, and an unfinished run's last weights, among the store's settings. */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { LENS_VARIANTS } from '../../core/parameters/policy.ts';
import type { SessionStore } from '../../storage/ports.ts';

/** Names weights that were trained here in errors. */
export const TRAINED_FILE = 'lensnet-trained.safetensors';

const bytes = z.custom<Uint8Array<ArrayBuffer>>((value) => ArrayBuffer.isView(value), 'must be bytes');

/** Absent where it was written while a model's own variant alone could be trained. */
const variant = z.enum(LENS_VARIANTS).exclude(['default']).optional();

const recordSchema = z.object({
  version: z.literal(1),
  /** The model that the weights belong to. */
  modelHash: z.string(),
  /** The LensNet in use. */
  kept: z.object({ origin: z.enum(['trained', 'imported']), weights: bytes, variant }).nullable(),
  /** What a run had learned when it was last written down; null when no run is unfinished. */
  draft: z.object({ weights: bytes, step: z.number().int().min(1), variant }).nullable(),
});
export type LensRecord = z.infer<typeof recordSchema>;

/** The part of a store that is needed. */
export type LensSettings = Pick<SessionStore, 'readSetting' | 'writeSetting'>;

function nameOf(sessionId: string): string {
  return `lensnet:${sessionId}`;
}

/** @returns null where nothing is kept, or where what is there cannot be read. */
export async function readLensRecord(settings: LensSettings, sessionId: string): Promise<LensRecord | null> {
  const parsed = recordSchema.safeParse(await settings.readSetting(nameOf(sessionId)), IN_WORDS);
  return parsed.success ? parsed.data : null;
}

/** Null forgets it. */
export async function writeLensRecord(
  settings: LensSettings,
  sessionId: string,
  record: LensRecord | null,
): Promise<void> {
  await settings.writeSetting(nameOf(sessionId), record);
}

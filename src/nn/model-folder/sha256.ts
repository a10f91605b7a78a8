/** SHA-256: of what lies in memory by the platform, of files that are read by pieces by a library. */
import { sha256 } from '@noble/hashes/sha2.js';
import { yieldToEvents } from '../../base/clock.ts';
import type { FileBytes } from './file-bytes.ts';

/**
 * @returns 64 lower-case hexadecimal digits, or null where the platform offers no digest: pages that are
 * neither HTTPS nor localhost.
 */
export async function sha256Hex(data: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string | null> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  if (subtle === undefined) return null;
  return hex(new Uint8Array(await subtle.digest('SHA-256', data)));
}

/** Read at once while a file is hashed. */
const PIECE_BYTES = 8 * 2 ** 20;

/**
 * SHA-256 of a file that is read by pieces; on every page, and slower than the platform's, which wants the whole file.
 *
 * @param onProgress - bytes read so far.
 */
export async function sha256OfFile(
  bytes: FileBytes,
  onProgress?: (readBytes: number) => void,
): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    const piece = bytes.slice(at, Math.min(at + PIECE_BYTES, bytes.byteLength));
    hash.update(new Uint8Array(piece));
    onProgress?.(at + piece.byteLength);
    await yieldToEvents();
  }
  return hex(hash.digest());
}

/** Lower-case hexadecimal digits, two a byte. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

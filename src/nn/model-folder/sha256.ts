/** SHA-256 by the platform's own implementation. */

/**
 * @returns 64 lower-case hexadecimal digits, or null where the platform offers no digest: pages that are
 * neither HTTPS nor localhost.
 */
export async function sha256Hex(data: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string | null> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  if (subtle === undefined) return null;
  const digest = new Uint8Array(await subtle.digest('SHA-256', data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

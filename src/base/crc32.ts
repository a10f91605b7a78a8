/** CRC-32 (IEEE 802.3, as in zip and gzip) of stored rows. Detects damage; it is no protection against forgery. */

/** By how many bytes follow it, what a byte leaves of the remainder: eight bytes are taken at once ("slicing by eight"). */
const TABLES = remainderTables();

function remainderTables(): readonly Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
    }
    return remainder;
  });
  const tables = [first];
  while (tables.length < 8) {
    tables.push(tables.at(-1)!.map((remainder) => first[remainder & 0xff]! ^ (remainder >>> 8)));
  }
  return tables;
}

/**
 * @param bytes - borrowed, unchanged.
 * @returns an unsigned 32-bit integer.
 */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array,
  ]; // prettier-ignore
  let crc = 0xffffffff;
  let index = 0;
  for (const whole = bytes.length - 7; index < whole; index += 8) {
    const low =
      crc ^
      (bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24));
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[index + 4]!]! ^
      t2[bytes[index + 5]!]! ^
      t1[bytes[index + 6]!]! ^
      t0[bytes[index + 7]!]!;
  }
  for (; index < bytes.length; index += 1) crc = t0[(crc ^ bytes[index]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** From what the page calls a thing to what a file of it may be called. Pure. */

/** A title or file name as part of another file's name. */
export function fileNameOf(title: string): string {
  const name = title
    .replace(/(-trace)?\.jsonl(\.gz)?$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return name || 'timeline';
}

/** What the command line's plots have in common: colours on white paper, type, scales, escaping. Pure. */

/** Okabe and Ito's, which colour-blind readers tell apart, on white. */
export const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#a8780a',
  '#000000',
  '#777777',
];

/** A whole picture on white, with a title for those who do not see it. */
export function svgOf(width: number, height: number, title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Powers of two, at most six. @param low, high - log2 of the ends. */
export function ticksOf(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(low), Math.floor(high)];
  if (first > last) return [Math.round(2 ** ((low + high) / 2))];
  const every = Math.max(1, Math.ceil((last - first + 1) / 6));
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => 2 ** (first + i * every));
}

/** One colour for each tag name, the same everywhere; the name always stands beside it. */

/** A hue from the name; lightness and chroma fit both themes. */
export function tagColour(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) % 360;
  return `oklch(0.68 0.14 ${hash})`;
}

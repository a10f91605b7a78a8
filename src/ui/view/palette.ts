/**
 * Colours of the canvas, read from the theme's custom properties. Raw tokens are warm, gists are cool, and
 * contrast with the background rises with detail, so the scale is ordinal for any colour vision.
 */
import { MAX_LOD } from '../../core/tree/ids.ts';

export interface Palette {
  /** One colour per LOD, 0 = raw. */
  readonly lod: readonly string[];
  /** Diverging, from "collapse me" (-1) over neutral to "expand me" (+1). */
  readonly score: readonly string[];
  /** One colour per stage, in the order of STAGES. */
  readonly stage: readonly string[];
  readonly background: string;
  readonly empty: string;
  readonly grid: string;
  readonly band: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly line: string;
  readonly glyph: string;
  readonly glyphEdge: string;
  readonly evict: string;
  readonly user: string;
  readonly assistant: string;
}

export const SCORE_CLASSES = 9;

/** The diverging class of a score: 0 = -1, middle = 0, last = +1. */
export function scoreClass(score: number): number {
  return Math.min(SCORE_CLASSES - 1, Math.max(0, Math.round(((score + 1) / 2) * (SCORE_CLASSES - 1))));
}

/** Told when the page's theme changed, so that a palette is to be read anew. @returns a function that ends it. */
export function watchTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => {
    observer.disconnect();
  };
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    lod: Array.from({ length: MAX_LOD + 1 }, (_, lod) => colour(`lod-${lod}`)),
    score: Array.from({ length: SCORE_CLASSES }, (_, i) => colour(`score-${i}`)),
    stage: Array.from({ length: 6 }, (_, i) => colour(`stage-${i}`)),
    background: colour('plot'),
    empty: colour('plot-empty'),
    grid: colour('plot-grid'),
    band: colour('plot-band'),
    text: colour('text'),
    muted: colour('text-muted'),
    accent: colour('accent'),
    line: colour('plot-line'),
    glyph: colour('glyph'),
    glyphEdge: colour('glyph-edge'),
    evict: colour('evict'),
    user: colour('role-user'),
    assistant: colour('role-assistant'),
  };
}

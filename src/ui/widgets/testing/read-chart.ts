/** Reads a drawn chart back where there is no browser: which marks stand where, not which pixels they colour. */
import { parseHTML } from 'linkedom';

/** Something drawn, by the name that Observable Plot gives its mark. */
export interface DrawnMark {
  readonly mark: string;
  /** Pixels of the chart: the place of a symbol or text, the ends of a rule, the corners of a line or bar. */
  readonly at: readonly (readonly [x: number, y: number])[];
  readonly text: string;
  readonly colour: string | null;
}

/** A window for `vi.stubGlobal`: Observable Plot draws into its document. */
export function windowForCharts(): object {
  return parseHTML('<html></html>');
}

export function readChart(svg: SVGSVGElement): DrawnMark[] {
  return [...svg.querySelectorAll('circle, line, path, rect, text')].map((element) => {
    const layer = element.closest('g') ?? element;
    const [dx, dy] = shiftOf(layer);
    const [ownX, ownY] = layer === element ? [0, 0] : shiftOf(element);
    return {
      mark: layer.getAttribute('aria-label') ?? '',
      at: cornersOf(element).map(([x, y]) => [x + ownX + dx, y + ownY + dy] as const),
      text: element.textContent,
      colour: paintOf(element, 'fill') ?? paintOf(layer, 'fill') ?? paintOf(layer, 'stroke'),
    };
  });
}

function paintOf(element: Element, attribute: 'fill' | 'stroke'): string | null {
  const paint = element.getAttribute(attribute);
  return paint === 'none' ? null : paint;
}

function shiftOf(element: Element): [number, number] {
  const [, x, y] = /^translate\(([^,]+),([^)]+)\)/.exec(element.getAttribute('transform') ?? '') ?? [];
  return [Number(x ?? 0), Number(y ?? 0)];
}

function cornersOf(element: Element): [number, number][] {
  const read = (name: string): number => Number(element.getAttribute(name) ?? 0);
  switch (element.localName) {
    case 'circle':
      return [[read('cx'), read('cy')]];
    case 'line':
      return [
        [read('x1'), read('y1')],
        [read('x2'), read('y2')],
      ];
    case 'rect':
      return [
        [read('x'), read('y')],
        [read('x') + read('width'), read('y') + read('height')],
      ];
    case 'path':
      // Symbols are outlined about a place of their own; lines go from corner to corner.
      if (element.hasAttribute('transform')) return [[0, 0]];
      return [...(element.getAttribute('d') ?? '').matchAll(/([-\d.]+),([-\d.]+)/g)].map(
        ([, x, y]) => [Number(x), Number(y)] as [number, number],
      );
    default:
      return [[0, 0]];
  }
}

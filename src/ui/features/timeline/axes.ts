/** The SVG axes and the minimap's brush. D3 owns the nodes inside the elements given. */
import { type BrushBehavior, axisBottom, axisLeft, brushX, scaleLinear, select } from 'd3';
import type { Frame } from '../../model/frame.ts';
import type { TimelineLayout } from './frame-layout.ts';
import type { StepWindow } from '../../model/step-axis.ts';
import { stepTicks, tokenTicks } from './ticks.ts';
import { type TokenWindow, fitTokens, tokenToX, xToToken } from '../../model/token-axis.ts';

/** Half the width of a wide label: closer to the right edge it would run into the tracks' names. */
const LABEL_HALF = 22;

export function drawTokenAxis(svg: SVGSVGElement, window: TokenWindow, layout: TimelineLayout): void {
  const right = layout.left + layout.matrixWidth;
  const scale = scaleLinear().domain([window.start, window.end]).range([layout.left, right]);
  const ticks = tokenTicks(window, layout);
  const axis = axisBottom(scale)
    .tickValues(ticks.map(({ value }) => value))
    .tickSize(5)
    .tickPadding(4)
    .tickFormat((_, i) => ticks[i]!.label);
  select(svg)
    .selectAll<SVGGElement, null>('g.axis')
    .data([null])
    .join('g')
    .attr('class', 'axis')
    .call(axis)
    .selectAll<SVGTextElement, number>('.tick text')
    .attr('text-anchor', (token) => (scale(token) > right - LABEL_HALF ? 'end' : 'middle'))
    .attr('dx', (token) => (scale(token) > right - LABEL_HALF ? right - scale(token) : 0));
}

export function drawStepAxis(
  svg: SVGSVGElement,
  steps: StepWindow,
  layout: TimelineLayout,
  frameAt: (index: number) => Pick<Frame, 'step'> | undefined,
): void {
  const top = steps.top + (frameAt(0)?.step ?? 0) - 0.5;
  const scale = scaleLinear()
    .domain([top, top + layout.height / steps.rowHeight])
    .range([0, layout.height]);
  const ticks = stepTicks(steps, layout, frameAt);
  const axis = axisLeft(scale)
    .tickValues(ticks.map(({ value }) => value))
    .tickSize(4)
    .tickPadding(4)
    .tickFormat((_, i) => ticks[i]!.label);
  select(svg)
    .selectAll<SVGGElement, null>('g.axis')
    .data([null])
    .join('g')
    .attr('class', 'axis')
    .attr('transform', `translate(${layout.left}, 0)`)
    .call(axis);
}

/** The brush over the whole history; moving it moves the token window. */
export class MinimapBrush {
  readonly #brush: BrushBehavior<unknown>;
  readonly #svg: SVGSVGElement;
  #total = 0;
  #width = 0;
  #height = 0;

  constructor(svg: SVGSVGElement, onWindow: (window: TokenWindow) => void) {
    this.#svg = svg;
    this.#brush = brushX()
      .handleSize(8)
      .on(
        'brush end',
        (event: { sourceEvent: unknown; selection: [number, number] | null; type: string }) => {
          if (!event.sourceEvent) return;
          const whole = fitTokens(this.#total);
          if (!event.selection) {
            if (event.type === 'end') onWindow(whole);
            return;
          }
          const [x0, x1] = event.selection;
          onWindow({ start: xToToken(x0, whole, this.#width), end: xToToken(x1, whole, this.#width) });
        },
      );
  }

  show(window: TokenWindow, totalTokens: number, width: number, height: number): void {
    const group = select(this.#svg)
      .selectAll<SVGGElement, unknown>('g.brush')
      .data<unknown>([null])
      .join('g')
      .attr('class', 'brush');
    if (width !== this.#width || height !== this.#height) {
      this.#brush.extent([
        [0, 0],
        [width, height],
      ]);
      group.call(this.#brush);
    }
    this.#total = totalTokens;
    this.#width = width;
    this.#height = height;
    const whole = fitTokens(totalTokens);
    const x0 = tokenToX(window.start, whole, width);
    const x1 = tokenToX(window.end, whole, width);
    group.call((selection) => {
      this.#brush.move(selection, [x0, Math.max(x1, x0 + 2)]);
    });
  }
}

/** The brush on the step axis: dragging along it marks the range that playback loops over. D3 owns its nodes. */
import { type BrushBehavior, brushY, select } from 'd3';
import type { FrameRange } from '../../model/playhead.ts';
import { type StepWindow, stepToY } from '../../model/step-axis.ts';

export class RangeBrush {
  readonly #brush: BrushBehavior<unknown>;
  readonly #svg: SVGSVGElement;
  #steps: StepWindow = { top: 0, rowHeight: 1 };
  #size = '';
  #held = false;

  /** @param onRange - called while dragging, and with null when the range was clicked away. */
  constructor(svg: SVGSVGElement, onRange: (range: FrameRange | null) => void) {
    this.#svg = svg;
    this.#brush = brushY()
      .handleSize(6)
      .on(
        'start brush end',
        (event: { sourceEvent: unknown; selection: [number, number] | null; type: string }) => {
          if (!event.sourceEvent) return;
          this.#held = event.type !== 'end';
          if (event.type === 'start') return;
          if (!event.selection) {
            if (event.type === 'end') onRange(null);
            return;
          }
          const [first, end] = event.selection.map((y) => this.#steps.top + y / this.#steps.rowHeight);
          onRange({ first: Math.floor(first!), last: Math.max(Math.floor(first!), Math.ceil(end!) - 1) });
        },
      );
  }

  show(range: FrameRange | null, steps: StepWindow, width: number, height: number): void {
    this.#steps = steps;
    if (this.#held) return;
    const group = select(this.#svg)
      .selectAll<SVGGElement, unknown>('g.brush')
      .data<unknown>([null])
      .join('g')
      .attr('class', 'brush');
    const size = `${width} ${height}`;
    if (size !== this.#size) {
      this.#size = size;
      this.#brush.extent([
        [0, 0],
        [width, height],
      ]);
      group.call(this.#brush);
    }
    const clamped = (y: number) => Math.min(Math.max(y, 0), height);
    const y0 = range ? clamped(stepToY(range.first, steps)) : 0;
    const y1 = range ? clamped(stepToY(range.last + 1, steps)) : 0;
    group.call((selection) => {
      this.#brush.move(selection, y1 > y0 ? [y0, y1] : null);
    });
  }
}

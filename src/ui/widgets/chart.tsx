/** Charts drawn with Observable Plot: the element that holds one, and the axes that all share. */
import * as Plot from '@observablehq/plot';
import { useEffect, useRef } from 'react';

interface ChartProps {
  /** The whole chart in words: its parts are not read out one by one. */
  readonly label: string;
  readonly draw: () => SVGSVGElement;
}

/** Draws again whenever it renders. */
export function Chart({ label, draw }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const svg = draw();
    // Observable Plot names its marks, which inside one image nobody hears and the ARIA rules forbid.
    for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
    host.current?.replaceChildren(svg);
  });
  return <div className="chart" ref={host} />;
}

/** An SVG of these marks. Colours and type are those of the page: marks name its custom properties. */
export function drawChart(options: Plot.PlotOptions): SVGSVGElement {
  return Plot.plot({ className: 'chart-svg', ...options }) as SVGSVGElement & Plot.Plot;
}

interface AxisOptions {
  readonly label: string;
  readonly ticks: number | number[];
  readonly format: (value: number) => string;
}

/** Line, ticks, numbers and name under the data. */
export function bottomAxis({ label, ticks, format }: AxisOptions): Plot.Markish[] {
  return [
    Plot.frame({ anchor: 'bottom', stroke: 'var(--plot-grid)' }),
    Plot.axisX({
      ticks,
      tickFormat: format,
      label,
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: 36,
      stroke: 'var(--plot-grid)',
      tickSize: 4,
    }),
  ];
}

/** Grid lines, numbers and a name beside the data. */
export function leftAxis({ label, ticks, format }: AxisOptions): Plot.Markish[] {
  return [
    Plot.gridY({ ticks, stroke: 'var(--border)', strokeOpacity: 1 }),
    Plot.axisY({
      ticks,
      tickFormat: format,
      label,
      labelAnchor: 'center',
      labelArrow: 'none',
      tickSize: 0,
      tickPadding: 8,
    }),
  ];
}

/** Draws one evaluation plot as SVG, with its words, its figures as a table, and its export as PNG. */
import { symbol, symbolsFill } from 'd3';
import { ImageDown } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { reportError } from '../../model/problem-store.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { summaryOf, tableOf } from './describe-plot.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { layOut, type DrawnSeries, type PlotGeometry } from './geometry.ts';
import { pngOf } from './plot-png.ts';
import { PLOTS, type PlotId, type Series } from './series.ts';

const COLOURS = 8;
const MARK_AREA = 44;
const INITIAL_WIDTH = 480;

interface PlotFigureProps {
  readonly plot: PlotId;
  readonly series: readonly Series[];
  /** A policy's place in colours and symbols. */
  readonly slotOf: (policy: string) => number;
  /** Named in the PNG: suite, task, lengths. */
  readonly about: string;
}

export function PlotFigure({ plot, series, slotOf, about }: PlotFigureProps) {
  const { title, sentence, absence } = PLOTS[plot];
  const [width, observe] = useWidth();
  const svg = useRef<SVGSVGElement>(null);
  const geometry = layOut(plot, series, width);
  const savePng = async () => {
    try {
      const file = await pngOf(svg.current!, `${title} · ${about}`);
      saveFile(`${plot}-${about.replaceAll(/[^a-z0-9]+/gi, '-')}.png`, file);
    } catch (error) {
      reportError('The plot could not be saved', error);
    }
  };
  return (
    <figure className="plot" ref={observe} aria-label={title}>
      <figcaption>
        <h3>{title}</h3>
        {series.length > 0 && (
          <IconButton icon={ImageDown} label={`Save ${title} as PNG`} onClick={() => void savePng()} />
        )}
        <p className="muted small">{series.length > 0 ? sentence : absence}</p>
      </figcaption>
      {series.length > 0 && (
        <>
          <svg
            ref={svg}
            role="img"
            aria-label={summaryOf(plot, series)}
            width={geometry.width}
            height={geometry.height}
            viewBox={`0 0 ${geometry.width} ${geometry.height}`}
          >
            <Axes geometry={geometry} />
            {geometry.drawn.map((drawn) => (
              <DrawnOne key={drawn.series.label} drawn={drawn} slot={slotOf(drawn.series.policy)} />
            ))}
            {geometry.legend.map(({ series: one, x, y }) => (
              <g key={one.label} transform={`translate(${x},${y})`}>
                <Swatch slot={slotOf(one.policy)} isSecond={one.isSecond} />
                <text className="plot-text" x={18} dy="0.32em">
                  {one.label}
                </text>
              </g>
            ))}
          </svg>
          <FigureTable plot={plot} series={series} />
        </>
      )}
    </figure>
  );
}

/** The symbol of a policy, in its colour; the compared report's is hollow. */
export function Swatch({ slot, isSecond }: { readonly slot: number; readonly isSecond: boolean }) {
  return (
    <g style={{ color: `var(--series-${slot % COLOURS})` }}>
      <path
        className={isSecond ? 'plot-mark is-second' : 'plot-mark'}
        transform="translate(6,0)"
        d={markPath(slot)}
      />
    </g>
  );
}

function markPath(slot: number): string {
  return symbol(symbolsFill[slot % symbolsFill.length], MARK_AREA)() ?? '';
}

function Axes({ geometry }: { readonly geometry: PlotGeometry }) {
  const { frame, xTicks, yTicks, xLabel, yLabel, guides } = geometry;
  return (
    <g>
      {yTicks.map(({ at, label }) => (
        <g key={label}>
          <line className="plot-grid" x1={frame.left} x2={frame.right} y1={at} y2={at} />
          <text className="plot-text" x={frame.left - 8} y={at} dy="0.32em" textAnchor="end">
            {label}
          </text>
        </g>
      ))}
      {xTicks.map(({ at, label }) => (
        <g key={label}>
          <line className="plot-tick" x1={at} x2={at} y1={frame.bottom} y2={frame.bottom + 4} />
          <text className="plot-text" x={at} y={frame.bottom + 16} textAnchor="middle">
            {label}
          </text>
        </g>
      ))}
      <line className="plot-axis" x1={frame.left} x2={frame.right} y1={frame.bottom} y2={frame.bottom} />
      {guides.map(({ path, label, x, y }) => (
        <g key={label}>
          <path className="plot-guide" d={path} />
          <text className="plot-text" x={x} y={y} textAnchor="end">
            {label}
          </text>
        </g>
      ))}
      <text
        className="plot-text"
        x={(frame.left + frame.right) / 2}
        y={frame.bottom + 33}
        textAnchor="middle"
      >
        {xLabel}
      </text>
      <text
        className="plot-text"
        transform={`translate(11,${(frame.top + frame.bottom) / 2}) rotate(-90)`}
        textAnchor="middle"
      >
        {yLabel}
      </text>
    </g>
  );
}

function DrawnOne({ drawn, slot }: { readonly drawn: DrawnSeries; readonly slot: number }) {
  const { series, path, marks, bars } = drawn;
  const second = series.isSecond ? ' is-second' : '';
  return (
    <g style={{ color: `var(--series-${slot % COLOURS})` }}>
      {bars.map((bar) => (
        <rect key={bar.y} className={`plot-bar${second}`} {...bar} />
      ))}
      {path !== null && <path className={`plot-line${second}`} d={path} />}
      {marks.map(({ x, y, whiskers, point }) => (
        <g key={x}>
          {whiskers.map((whisker) => (
            <line key={`${whisker.x1} ${whisker.y1}`} className="plot-whisker" {...whisker} />
          ))}
          {bars.length === 0 && (
            <path className={`plot-mark${second}`} transform={`translate(${x},${y})`} d={markPath(slot)} />
          )}
          <circle className="plot-hit" cx={x} cy={y} r={9}>
            <title>{`${series.label}: ${point.y.toFixed(3)}, n = ${point.n}`}</title>
          </circle>
        </g>
      ))}
    </g>
  );
}

function FigureTable({ plot, series }: { readonly plot: PlotId; readonly series: readonly Series[] }) {
  const [open, setOpen] = useState(false);
  const table = tableOf(plot, series);
  return (
    <details
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>Figures as a table</summary>
      {open && (
        <div
          className="table-scroll"
          tabIndex={0}
          role="region"
          aria-label={`Figures of ${PLOTS[plot].title}`}
        >
          <table className="figures">
            <thead>
              <tr>
                {table.columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row) => (
                <tr key={row.join(' ')}>
                  {row.map((text, i) => (
                    <td key={table.columns[i]}>{text}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** The width of an element as it changes. */
function useWidth(): readonly [number, (element: HTMLElement | null) => void] {
  const [width, setWidth] = useState(INITIAL_WIDTH);
  const [element, setElement] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(240, Math.floor(entry.contentRect.width)));
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [element]);
  return [width, setElement];
}

/** One evaluation plot with its words, its figures as a table, and its export as PNG. */
import { symbol } from 'd3';
import { ImageDown } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useModel } from '../../view/hooks.ts';
import { Chart } from '../../widgets/chart.tsx';
import { IconButton } from '../../widgets/icon-button.tsx';
import { summaryOf, tableOf } from './describe-plot.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { colourAt, drawPlot, symbolAt } from './draw-plot.ts';
import { pngOf } from './plot-png.ts';
import { PLOTS, type PlotId, type Series } from './series.ts';

const SWATCH_AREA = 44;
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
  const { problems } = useModel();
  const { title, sentence, absence } = PLOTS[plot];
  const [width, observe] = useWidth();
  const svg = useRef<SVGSVGElement>(null);
  const savePng = async () => {
    try {
      const file = await pngOf(svg.current!, `${title} · ${about}`);
      saveFile(`${plot}-${about.replaceAll(/[^a-z0-9]+/gi, '-')}.png`, file);
    } catch (error) {
      problems.reportError('The plot could not be saved', error);
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
          <Chart
            label={summaryOf(plot, series)}
            draw={() => (svg.current = drawPlot(plot, series, { width, slotOf }))}
          />
          <FigureTable plot={plot} series={series} />
        </>
      )}
    </figure>
  );
}

/** The symbol of a policy, in its colour. */
export function Swatch({ slot }: { readonly slot: number }) {
  return (
    <path transform="translate(6,0)" fill={colourAt(slot)} d={symbol(symbolAt(slot), SWATCH_AREA)() ?? ''} />
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

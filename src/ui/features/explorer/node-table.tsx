/** The nodes that pass the filter, a row each: where they lie, who wrote them when, how they were used. */
import { ChevronDown, ChevronLeft, ChevronRight, ChevronUp, Download } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import type { NodeOrder } from '../../../core/tree/query/find-nodes.ts';
import type { NodeSource } from '../../../core/tree/query/node-record.ts';
import type { ListedNode } from '../../../runtime/engine/protocol/protocol.ts';
import { useSession, useViewport } from '../../view/hooks.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { Missing } from '../../widgets/missing.tsx';
import { walkItems } from '../../widgets/walk-items.ts';
import { formatCount, formatMoment, formatNats, formatPlural, formatSpan } from '../../words/format.ts';
import { useExplorer, useNodeListing } from './explorer-context.ts';
import { MEASURE_WORDS, STATE_TITLES } from './measure-words.ts';
import { NODES_PER_PAGE } from './node-listing.ts';

interface Column {
  readonly title: string;
  readonly hint: string;
  /** Absent where there is no order by it. */
  readonly by?: NodeOrder['by'];
  readonly isNumber: boolean;
  readonly cell: (node: ListedNode) => ReactNode;
}

const NEVER_HELD = 'It has not stood in the working context yet.';

const COLUMNS: readonly Column[] = [
  {
    title: 'From',
    hint: 'Who wrote it, and in which document it stands',
    isNumber: false,
    cell: ({ sources, sourceCount }) => (
      <span translate="no">
        {sources.map(sourceWords).join(', ') || <Missing why="Nobody noted where these tokens came from." />}
        {sourceCount > sources.length && ` and ${formatCount(sourceCount - sources.length)} more`}
      </span>
    ),
  },
  {
    title: 'Received',
    hint: 'When the first of its tokens came in',
    isNumber: false,
    cell: ({ sources }) => {
      const at = sources[0]?.wallClockMs ?? null;
      return at === null ? <Missing why="Nobody noted when it came in." /> : formatMoment(at);
    },
  },
  measured('accessCount', ({ accessCount }) => accessCount),
  measured('lastAccessStep', ({ lastAccessStep }) => lastAccessStep, NEVER_HELD),
  measured('expansions', ({ expansions }) => expansions),
  measured('collapses', ({ collapses }) => collapses),
  measured('residency', ({ residency }) => residency),
  {
    ...measured('sensitivity', ({ sensitivity }) => sensitivity),
    cell: ({ sensitivity }) =>
      sensitivity === null ? <Missing why="Nobody measured it yet." /> : formatNats(sensitivity),
  },
  measured('createdAtStep', ({ createdAtStep }) => createdAtStep),
  measured('gistVersion', ({ gistVersion }) => gistVersion, 'Raw tokens have no gist.'),
  {
    title: 'State',
    hint: 'Pinned, forbidden, tagged, pruned, hidden, or with a gist of another version',
    isNumber: false,
    cell: ({ states, tag }) =>
      states
        .map((state) => (state === 'tagged' && tag !== null ? `“${tag}”` : STATE_TITLES[state]))
        .filter((words) => words !== undefined)
        .join(', '),
  },
];

function measured(
  by: keyof typeof MEASURE_WORDS,
  of: (node: ListedNode) => number | null,
  whyMissing = '',
): Column {
  const { title, hint } = MEASURE_WORDS[by];
  return {
    title,
    hint,
    by,
    isNumber: true,
    cell: (node) => {
      const value = of(node);
      return value === null ? <Missing why={whyMissing} /> : formatCount(value);
    },
  };
}

function sourceWords({ role, title }: NodeSource): string {
  return role === 'document' ? title : `${role}: ${title}`;
}

export function NodeTable() {
  const { nodes } = useExplorer();
  const table = useRef<HTMLDivElement>(null);
  const list = useNodeListing((state) => state.list);
  const busy = useNodeListing((state) => state.busy);
  useReadAnew();
  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(table.current?.querySelectorAll<HTMLElement>('[data-node]') ?? [])];
    if (walkItems(event, items)) return;
    if (event.key !== 'PageUp' && event.key !== 'PageDown') return;
    nodes.turnPage(event.key === 'PageUp' ? -1 : 1);
    event.preventDefault();
  };
  return (
    <>
      <div
        ref={table}
        className="node-table"
        role="region"
        aria-label="Nodes of the tree"
        aria-description="Up and down walk the nodes, Page Up and Page Down turn the pages."
        aria-busy={busy}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <table>
          <thead>
            <tr>
              <HeadCell
                column={{
                  title: 'Node',
                  hint: 'Level and tokens, in order of place',
                  by: 'place',
                  isNumber: false,
                }}
              />
              {COLUMNS.map((column) => (
                <HeadCell key={column.title} column={column} />
              ))}
            </tr>
          </thead>
          <tbody>
            {list?.nodes.map((node) => (
              <NodeRow key={node.spanId} node={node} />
            ))}
          </tbody>
        </table>
        {list?.total === 0 && (
          <p className="muted" role="status">
            No node passes this filter: widen a range, or take a choice back.
          </p>
        )}
        {list === null && (
          <p className="muted" role="status">
            Reading the tree…
          </p>
        )}
      </div>
      <NodeTableFoot />
    </>
  );
}

/** The list follows the session; while it runs, only now and then. */
function useReadAnew(): void {
  const { nodes } = useExplorer();
  const filter = useNodeListing((state) => state.filter);
  const order = useNodeListing((state) => state.order);
  const offset = useNodeListing((state) => state.offset);
  const id = useSession((state) => state.session?.record.id);
  const marks = useSession((state) => state.session?.marks);
  const running = useSession((state) => state.running);
  const step = useSession((state) => state.session?.step ?? 0);
  const readAt = running ? Math.floor(step / 16) : step;
  useEffect(() => {
    void nodes.read();
  }, [nodes, filter, order, offset, id, marks, readAt]);
}

function HeadCell({ column }: { readonly column: Omit<Column, 'cell'> }) {
  const { nodes } = useExplorer();
  const order = useNodeListing((state) => state.order);
  const { title, hint, by, isNumber } = column;
  const isOrder = by !== undefined && order.by === by;
  const Arrow = order.descending ? ChevronDown : ChevronUp;
  return (
    <th
      scope="col"
      className={isNumber ? 'number' : ''}
      title={hint}
      aria-sort={isOrder ? (order.descending ? 'descending' : 'ascending') : undefined}
    >
      {by === undefined ? (
        title
      ) : (
        <button
          type="button"
          onClick={() => {
            nodes.orderBy(by);
          }}
        >
          {title}
          {isOrder && <Arrow size={12} aria-hidden />}
        </button>
      )}
    </th>
  );
}

function NodeRow({ node }: { readonly node: ListedNode }) {
  const explorer = useExplorer();
  const { lod, start, end } = node;
  const selected = useViewport(({ selection }) => selection?.lod === lod && selection.start === start);
  return (
    <tr aria-selected={selected}>
      <th scope="row">
        <button
          type="button"
          className="link"
          data-node
          onClick={() => {
            explorer.selectNode({ lod, start, end });
          }}
        >
          <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
          {lod === 0 ? 'raw' : `LOD${lod}`} {formatSpan(start, end)}
        </button>
      </th>
      {COLUMNS.map(({ title, isNumber, cell }) => (
        <td key={title} className={isNumber ? 'number' : ''}>
          {cell(node)}
        </td>
      ))}
    </tr>
  );
}

function NodeTableFoot() {
  const { nodes } = useExplorer();
  const list = useNodeListing((state) => state.list);
  const busy = useNodeListing((state) => state.busy);
  const exporting = useNodeListing((state) => state.exporting);
  const { offset = 0, total = 0, treeNodes = 0 } = list ?? {};
  const shown = list?.nodes.length ?? 0;
  return (
    <div className="node-table-foot">
      <span className="muted small tabular" role="status">
        {shown > 0 && `${formatCount(offset + 1)}–${formatCount(offset + shown)} of `}
        {formatPlural(total, 'node')}
        {total < treeNodes && `; the tree has ${formatCount(treeNodes)}`}
        {busy && ' …'}
      </span>
      <IconButton
        icon={ChevronLeft}
        label="Previous nodes"
        disabled={offset === 0}
        onClick={() => {
          nodes.turnPage(-1);
        }}
      />
      <IconButton
        icon={ChevronRight}
        label="Next nodes"
        disabled={offset + NODES_PER_PAGE >= total}
        onClick={() => {
          nodes.turnPage(1);
        }}
      />
      <span className="spacer" />
      {(['csv', 'json'] as const).map((format) => (
        <IconButton
          key={format}
          icon={Download}
          label={`Save all ${formatPlural(total, 'node')} as ${format.toUpperCase()}`}
          text={format.toUpperCase()}
          disabled={total === 0 || exporting}
          onClick={() => void nodes.save(format)}
        />
      ))}
    </div>
  );
}

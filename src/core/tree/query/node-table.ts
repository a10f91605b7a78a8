/** Nodes as a table for other programs. Pure. */
import type { Cell, Table } from '../../../base/table.ts';
import type { NodeRecord, NodeSource } from './node-record.ts';

type Column = readonly [name: string, cell: (node: NodeRecord) => Cell];

const isoOf = ({ wallClockMs }: NodeSource): string =>
  wallClockMs === null ? '' : new Date(wallClockMs).toISOString();

const joined = (of: (source: NodeSource) => string) => (node: NodeRecord) =>
  [...new Set(node.sources.map(of))].join(' | ');

/** Columns that hold several values separate them by ` | `. */
const COLUMNS: readonly Column[] = [
  ['spanId', ({ spanId }) => spanId],
  ['lod', ({ lod }) => lod],
  ['index', ({ index }) => index],
  ['startToken', ({ start }) => start],
  ['endToken', ({ end }) => end],
  ['parentSpanId', ({ parent }) => parent],
  ['roles', joined(({ role }) => role)],
  ['documents', joined(({ title }) => title)],
  ['documentIds', joined(({ documentId }) => documentId)],
  ['receivedAt', joined(isoOf)],
  ['states', ({ states }) => states.join(' | ')],
  ['gistVersion', ({ gistVersion }) => gistVersion],
  ['createdAtStep', ({ createdAtStep }) => createdAtStep],
  ['accessCount', ({ accessCount }) => accessCount],
  ['lastAccessStep', ({ lastAccessStep }) => lastAccessStep],
  ['expansions', ({ expansions }) => expansions],
  ['collapses', ({ collapses }) => collapses],
  ['residencySteps', ({ residency }) => residency],
  ['sensitivityNatsPerToken', ({ sensitivity }) => sensitivity],
];

/** One row a node. */
export function nodeTable(nodes: readonly NodeRecord[]): Table {
  return {
    names: COLUMNS.map(([name]) => name),
    rows: nodes.map((node) => COLUMNS.map(([, cell]) => cell(node))),
  };
}

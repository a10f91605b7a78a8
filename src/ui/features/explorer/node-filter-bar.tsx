/** Which nodes are listed: by level, origin, document, state, and ranges of what they are measured by. */
import { X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { readNumber } from '../../../base/read-number.ts';
import { NODE_MEASURES, type NodeMeasure } from '../../../core/tree/node-columns.ts';
import { isOfChat, logOf, ROLES, type Role } from '../../../core/tree/provenance.ts';
import { isEmptyFilter, type MeasureRange, type NodeState } from '../../../core/tree/query/node-filter.ts';
import { useSession } from '../../view/hooks.ts';
import { formatValue } from '../../words/format.ts';
import { useExplorer, useNodeListing } from './explorer-context.ts';
import { MEASURE_WORDS, STATE_TITLES } from './measure-words.ts';
import { coarsestLevel } from './tree-walk.ts';

const ROLE_TITLES: Readonly<Record<Role, string>> = {
  system: 'System',
  user: 'User',
  assistant: 'Assistant',
  document: 'Document',
};
/** A list of more documents helps nobody; the words of a title find them. */
const LISTED_DOCUMENTS = 300;

interface Choice {
  readonly value: string;
  readonly title: string;
}

interface ChoiceFieldProps {
  readonly label: string;
  readonly any: string;
  readonly value: string | undefined;
  readonly choices: readonly Choice[];
  readonly onChoose: (value: string | undefined) => void;
}

function ChoiceField({ label, any, value, choices, onChoose }: ChoiceFieldProps) {
  return (
    <select
      aria-label={label}
      value={value ?? ''}
      onChange={(event) => {
        onChoose(event.target.value === '' ? undefined : event.target.value);
      }}
    >
      <option value="">{any}</option>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.title}
        </option>
      ))}
    </select>
  );
}

export function NodeFilterBar() {
  const { nodes, shape } = useExplorer();
  const filter = useNodeListing((state) => state.filter);
  const documents = useDocuments();
  const levels = Array.from({ length: coarsestLevel(shape) + 1 }, (_, lod) => ({
    value: String(lod),
    title: lod === 0 ? 'Raw blocks' : `LOD${lod}`,
  }));
  const states = Object.entries(STATE_TITLES).map(([value, title]) => ({ value, title }));
  return (
    <div className="node-filter" role="group" aria-label="Filter of nodes">
      <ChoiceField
        label="Level"
        any="Every level"
        value={filter.lod?.toString()}
        choices={levels}
        onChoose={(lod) => {
          nodes.narrow({ lod: lod === undefined ? undefined : Number(lod) });
        }}
      />
      <ChoiceField
        label="Origin"
        any="Any origin"
        value={filter.role}
        choices={ROLES.map((value) => ({ value, title: ROLE_TITLES[value] }))}
        onChoose={(role) => {
          nodes.narrow({ role: role as Role | undefined });
        }}
      />
      <ChoiceField
        label="Document"
        any="Any document"
        value={filter.documentId}
        choices={documents}
        onChoose={(documentId) => {
          nodes.narrow({ documentId });
        }}
      />
      <ChoiceField
        label="State"
        any="Any state"
        value={filter.states?.[0]}
        choices={states}
        onChoose={(state) => {
          nodes.narrow({ states: state === undefined ? [] : [state as NodeState] });
        }}
      />
      <RangeField />
      <RangeChips />
      {!isEmptyFilter(filter) && (
        <button
          type="button"
          className="link"
          onClick={() => {
            nodes.clear();
          }}
        >
          Clear
        </button>
      )}
    </div>
  );
}

/** Documents and whole logs, in the order in which they came. */
function useDocuments(): readonly Choice[] {
  const provenance = useSession((state) => state.provenance);
  return useMemo(() => {
    const titles = new Map<string, string>();
    for (const { documentId, title } of provenance) {
      if (!isOfChat(documentId)) titles.set(logOf(documentId) ?? documentId, title);
      if (titles.size >= LISTED_DOCUMENTS) break;
    }
    return [...titles].map(([value, title]) => ({ value, title }));
  }, [provenance]);
}

/** One measure's bounds; those of others stay as they are. */
function RangeField() {
  const [measure, setMeasure] = useState<NodeMeasure>('accessCount');
  return (
    <span className="node-range">
      <select
        aria-label="Measure"
        title={MEASURE_WORDS[measure].hint}
        value={measure}
        onChange={(event) => {
          setMeasure(event.target.value as NodeMeasure);
        }}
      >
        {NODE_MEASURES.map((each) => (
          <option key={each} value={each}>
            {MEASURE_WORDS[each].title}
          </option>
        ))}
      </select>
      <BoundField key={`${measure}/min`} measure={measure} bound="min" />
      <BoundField key={`${measure}/max`} measure={measure} bound="max" />
    </span>
  );
}

interface BoundFieldProps {
  readonly measure: NodeMeasure;
  readonly bound: 'min' | 'max';
}

function BoundField({ measure, bound }: BoundFieldProps) {
  const { nodes } = useExplorer();
  const range = useNodeListing((state) => state.filter.ranges?.[measure]);
  const [draft, setDraft] = useState<string | null>(null);
  const { title, whole } = MEASURE_WORDS[measure];
  const held = range?.[bound];
  const text = draft ?? (held === undefined ? '' : String(held));
  const reading = readNumber(text, { min: -Infinity, max: Infinity, whole });
  const wrong = text.trim() === '' || reading.ok ? undefined : reading.message;
  return (
    <input
      type="text"
      inputMode="decimal"
      aria-label={`${title} ${bound === 'min' ? 'from' : 'to'}`}
      placeholder={bound === 'min' ? 'from' : 'to'}
      aria-invalid={wrong !== undefined}
      title={wrong}
      value={text}
      onChange={(event) => {
        const typed = event.target.value;
        setDraft(typed);
        const read = readNumber(typed, { min: -Infinity, max: Infinity, whole });
        if (typed.trim() === '') nodes.setRange(measure, { ...range, [bound]: undefined });
        else if (read.ok) nodes.setRange(measure, { ...range, [bound]: read.value });
      }}
      onBlur={() => {
        setDraft(null);
      }}
    />
  );
}

function RangeChips() {
  const { nodes } = useExplorer();
  const ranges = useNodeListing((state) => state.filter.ranges);
  return NODE_MEASURES.map((measure) => {
    const words = rangeWords(ranges?.[measure]);
    if (words === null) return null;
    const { title } = MEASURE_WORDS[measure];
    return (
      <button
        key={measure}
        type="button"
        className="node-chip"
        title={`Take the bounds of ${title} away`}
        onClick={() => {
          nodes.setRange(measure, undefined);
        }}
      >
        {title} {words} <X size={12} aria-hidden />
      </button>
    );
  });
}

function rangeWords(range: MeasureRange | undefined): string | null {
  const { min, max } = range ?? {};
  if (min !== undefined && max !== undefined) return `${formatValue(min)} to ${formatValue(max)}`;
  if (min !== undefined) return `≥ ${formatValue(min)}`;
  return max === undefined ? null : `≤ ${formatValue(max)}`;
}

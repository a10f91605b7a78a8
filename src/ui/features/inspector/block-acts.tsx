/** What can be done to a block by hand: move it, pin it, forbid its expansion, name it; and take acts back. */
import { Ban, ChevronDown, ChevronUp, Pin, PinOff, Redo2, Tag, Undo2 } from 'lucide-react';
import { useState } from 'react';
import type { BlockReport, ManualAct } from '../../../runtime/engine/protocol/protocol.ts';
import { tagColour } from '../../words/tag-colour.ts';
import { CommandButton } from '../../view/command-button.tsx';
import { useModel, useSession, useSteering } from '../../view/hooks.ts';

export function BlockActs({ report }: { readonly report: BlockReport }) {
  const { steering } = useModel();
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const busy = useSteering((state) => state.busy);
  const blocked = readOnly ? 'This session is open in another tab.' : busy ? 'Working…' : null;
  const { lod, start, end } = report;
  const act = (action: ManualAct) => {
    void steering.act(action, { lod, start, end });
  };
  const moves = [
    { action: 'expand', icon: ChevronUp, label: 'Expand', rule: report.canExpand },
    { action: 'collapse', icon: ChevronDown, label: 'Collapse', rule: report.canCollapse },
  ] as const;
  const PinIcon = report.pinned ? PinOff : Pin;
  return (
    <section className="acts">
      <div className="button-row">
        {moves.map(({ action, icon: Icon, label, rule }) => (
          <button
            key={action}
            type="button"
            className="button"
            disabled={blocked !== null || !rule.legal}
            title={blocked ?? rule.why}
            onClick={() => {
              act(action);
            }}
          >
            <Icon size={14} aria-hidden /> {label}
          </button>
        ))}
        <button
          type="button"
          className="button"
          disabled={blocked !== null}
          aria-pressed={report.pinned}
          title="Pinned blocks keep their level of detail whatever the policy says"
          onClick={() => {
            act(report.pinned ? 'unpin' : 'pin');
          }}
        >
          <PinIcon size={14} aria-hidden /> {report.pinned ? 'Unpin' : 'Pin'}
        </button>
        <ForbidButton report={report} blocked={blocked} onAct={act} />
      </div>
      <TagField key={report.tag ?? ''} report={report} blocked={blocked} />
      <ul className="muted small why-not">
        {refusals(report).map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
      <UndoRow />
    </section>
  );
}

interface PartProps {
  readonly report: BlockReport;
  /** Why nothing can be done now; null if it can. */
  readonly blocked: string | null;
}

/** A raw block cannot expand: what is forbidden is the gist that it came from. */
function ForbidButton({ report, blocked, onAct }: PartProps & { readonly onAct: (act: ManualAct) => void }) {
  const ownMark = useSession(
    ({ session }) =>
      session?.marks.some(
        ({ kind, lod, start }) => kind === 'forbid' && lod === report.lod && start === report.start,
      ) ?? false,
  );
  const why =
    blocked ??
    (report.lod === 0
      ? 'A raw block is as fine as it gets; forbid the gist that covers it.'
      : report.hidden && !ownMark
        ? 'Its document is hidden from focus.'
        : report.forbidden && !ownMark
          ? 'A gist that holds this one is forbidden to expand.'
          : null);
  return (
    <button
      type="button"
      className="button"
      disabled={why !== null}
      aria-pressed={report.forbidden}
      title={why ?? 'A forbidden gist is never expanded, neither by the policy nor by hand'}
      onClick={() => {
        onAct(ownMark ? 'allow' : 'forbid');
      }}
    >
      <Ban size={14} aria-hidden /> {ownMark ? 'Allow' : 'Forbid'}
    </button>
  );
}

const MAX_NAME = 40;

function TagField({ report, blocked }: PartProps) {
  const { lod, start, end, tag } = report;
  const { steering } = useModel();
  const [name, setName] = useState(tag ?? '');
  const wanted = name.trim();
  return (
    <form
      className="tag-field"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted === (tag ?? '')) return;
        void (wanted === ''
          ? steering.act('untag', { lod, start, end })
          : steering.act('tag', { lod, start, end }, wanted));
      }}
    >
      <Tag size={14} aria-hidden style={tag === null ? {} : { color: tagColour(tag) }} />
      <input
        type="text"
        value={name}
        maxLength={MAX_NAME}
        placeholder="Name this block"
        aria-label="Tag of this block"
        disabled={blocked !== null}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <button
        type="submit"
        className="button"
        disabled={blocked !== null || wanted === (tag ?? '')}
        title={blocked ?? 'A tag is a name that the explorer and the trace of your acts keep'}
      >
        {wanted === '' && tag !== null ? 'Remove tag' : 'Tag'}
      </button>
    </form>
  );
}

function UndoRow() {
  const sessionId = useSession((state) => state.session?.record.id);
  const canUndo = useSteering(({ done, busy }) => !busy && done.at(-1)?.sessionId === sessionId);
  const canRedo = useSteering(({ undone, busy }) => !busy && undone.at(-1)?.sessionId === sessionId);
  if (!canUndo && !canRedo) return null;
  return (
    <div className="button-row">
      <CommandButton id="undo" icon={Undo2} text="Undo" disabled={!canUndo} />
      <CommandButton id="redo" icon={Redo2} text="Redo" disabled={!canRedo} />
    </div>
  );
}

/** Why a move is not offered; said once if both fail for the same reason. */
function refusals({ canExpand, canCollapse }: BlockReport): string[] {
  if (!canExpand.legal && !canCollapse.legal && canExpand.why === canCollapse.why) return [canExpand.why];
  return [
    ...(canExpand.legal ? [] : [`Cannot expand: ${canExpand.why}`]),
    ...(canCollapse.legal ? [] : [`Cannot collapse: ${canCollapse.why}`]),
  ];
}

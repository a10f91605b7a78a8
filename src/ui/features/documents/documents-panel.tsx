/** Add text to the history and see where each part of it came from. */
import { FileUp, Plus } from 'lucide-react';
import { type DragEvent, useRef, useState } from 'react';
import type { ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import { isOfChat, isImportedMessage } from '../../../core/tree/provenance.ts';
import { DocumentActs, useIsHidden } from './document-acts.tsx';
import { GistRenewal } from './gist-renewal.tsx';
import { ImportedMessages } from './imported-messages.tsx';
import { ForeignTextNote } from '../../view/foreign-text-note.tsx';
import { PastedTexts } from './pasted-texts.tsx';
import { WaitingList } from './waiting-list.tsx';
import { useStore } from 'zustand';
import { dropPaste, keepLongPaste } from '../../model/text-draft.ts';
import { formatCompact, formatMoment, formatSpan } from '../../words/format.ts';
import { droppedFiles } from '../../model/files/dropped-files.ts';
import { useExample, useModel, useRunView, useSession } from '../../view/hooks.ts';

const ACCEPTED =
  '.txt,.md,.markdown,.json,.jsonl,.csv,.ts,.tsx,.js,.mjs,.py,.rs,.go,.java,.c,.h,.cpp,.css,.html,.xml,.yaml,.yml,.toml,.sh,.sql,.tex,.log,text/*';

export function DocumentsPanel() {
  const { actions, files, textDraft } = useModel();
  const typed = useStore(textDraft, (state) => state.typed);
  const hasPasted = useStore(textDraft, (state) => state.pasted.length > 0);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const ready = useSession((state) => state.phase === 'ready');
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const example = useExample((state) => state.example);
  const historyEmpty = useSession(
    (state) => state.provenance.length === 0 && (state.session?.pendingTokens ?? 0) === 0,
  );
  const disabled = !ready || readOnly;

  const add = async (text: string, title: string): Promise<boolean> => {
    const accepted = await actions.ingest(text, title, 'document');
    if (accepted) await actions.run();
    return accepted;
  };

  /** Whatever is not accepted stays where it is. */
  const addDraft = async () => {
    for (const { id, text } of textDraft.getState().pasted) {
      if (await add(text, titleOf(text))) dropPaste(textDraft, id);
    }
    const { typed: text } = textDraft.getState();
    if (text.trim() !== '' && (await add(text, titleOf(text)))) textDraft.setState({ typed: '' });
  };

  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void droppedFiles(event.dataTransfer).then((dropped) =>
      files.accept(dropped, disabled ? 'page' : 'documents'),
    );
  };

  return (
    <section
      className={`panel-section documents ${over ? 'is-over' : ''}`}
      aria-label="Documents"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={onDrop}
    >
      <h2>Documents</h2>
      <GistRenewal />
      <ProvenanceList />
      <ForeignTextNote of="document" />
      <form
        className="document-form"
        onSubmit={(event) => {
          event.preventDefault();
          void addDraft();
        }}
      >
        <PastedTexts />
        <textarea
          aria-label="Text to add"
          placeholder="Paste text, or drop files here: prose, Markdown, code, JSON…"
          value={typed}
          rows={2}
          disabled={disabled}
          onPaste={(event) => {
            if (keepLongPaste(textDraft, event.clipboardData.getData('text/plain'))) event.preventDefault();
          }}
          onChange={(event) => {
            textDraft.setState({ typed: event.target.value });
          }}
        />
        <div className="button-row">
          <button type="submit" className="button" disabled={disabled || (typed.trim() === '' && !hasPasted)}>
            <Plus size={14} aria-hidden /> Add text
          </button>
          <button
            type="button"
            className="button"
            disabled={disabled}
            onClick={() => picker.current?.click()}
          >
            <FileUp size={14} aria-hidden /> Choose files
          </button>
          {example && historyEmpty && (
            <button
              type="button"
              className="button"
              disabled={disabled}
              onClick={() => void add(example.text, example.title)}
            >
              Add the example
            </button>
          )}
        </div>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          accept={ACCEPTED}
          aria-label="Files to add"
          onChange={(event) => {
            void files.accept([...(event.target.files ?? [])], 'documents');
            event.target.value = '';
          }}
        />
      </form>
    </section>
  );
}

/** The first words of a pasted text name it. */
function titleOf(text: string): string {
  const line = text
    .trim()
    .split('\n', 1)[0]!
    .replace(/^#+\s*/, '');
  return line.length > 40 ? `${line.slice(0, 39)}…` : line || 'Pasted text';
}

/** Documents are listed one by one, however often a conversation interrupted them; turns are summed up. */
function ProvenanceList() {
  const provenance = useSession((state) => state.provenance);
  const documents = documentsOf(provenance);
  const spokenTokens = provenance
    .filter(({ documentId }) => isOfChat(documentId))
    .reduce((sum, { start, end }) => sum + end - start, 0);
  return (
    <>
      <ul className="provenance">
        {documents.map((each) => (
          <ReadDocument key={each.documentId} document={each} />
        ))}
        {spokenTokens > 0 && (
          <li className="muted provenance-spoken">
            <span className="provenance-title">Conversation</span>
            <span className="tabular">{formatCompact(spokenTokens)}</span>
          </li>
        )}
      </ul>
      <ImportedMessages />
      <WaitingList />
    </>
  );
}

function ReadDocument({ document }: { readonly document: DocumentRow }) {
  const { viewport } = useRunView();
  const { documentId, title, start, end, tokens, wallClockMs } = document;
  const received = wallClockMs > 0 ? `, received ${formatMoment(wallClockMs)}` : '';
  const isHidden = useIsHidden(documentId);
  return (
    <li className={isHidden ? 'is-hidden' : ''}>
      <button
        type="button"
        className="provenance-show"
        title={`${title}: tokens ${formatSpan(start, end)}${received}, show them`}
        onClick={() => {
          viewport.showSpan({ start, end });
        }}
      >
        <span className="provenance-title" translate="no">
          {title}
        </span>
        <span className="muted tabular">
          {isHidden && 'hidden, '}
          {formatCompact(tokens)}
        </span>
      </button>
      <DocumentActs documentId={documentId} title={title} />
    </li>
  );
}

interface DocumentRow {
  readonly documentId: string;
  readonly title: string;
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
  /** When it came in; 0 where nobody noted it. */
  readonly wallClockMs: number;
}

function documentsOf(provenance: readonly ProvenanceRun[]): readonly DocumentRow[] {
  const rows = new Map<string, DocumentRow>();
  for (const { documentId, title, start, end, wallClockMs } of provenance) {
    if (isOfChat(documentId) || isImportedMessage(documentId)) continue;
    const known = rows.get(documentId);
    const tokens = (known?.tokens ?? 0) + end - start;
    const first = known ?? { start, wallClockMs };
    rows.set(documentId, {
      documentId,
      title,
      start: first.start,
      end,
      tokens,
      wallClockMs: first.wallClockMs,
    });
  }
  return [...rows.values()];
}

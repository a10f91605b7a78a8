/** What files were taken for, before anything of them is ingested: each can be read as something else, or left out. */
import { X } from 'lucide-react';
import { useStore } from 'zustand';
import type { FileInReview } from '../../model/file-intake.ts';
import type { ImportedHistory } from '../../../core/history-import/history-format.ts';
import { ROLES, type Role } from '../../../core/tree/provenance.ts';
import type { FileKind } from '../../model/files/file-kind.ts';
import { TEXT_ENCODINGS, type TextEncoding } from '../../model/files/text-encoding.ts';
import { formatCompact, formatCount, formatPlural } from '../../words/format.ts';
import { useModel } from '../../view/hooks.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { IconButton } from '../../widgets/icon-button.tsx';

const KINDS: Readonly<Record<FileKind, string>> = {
  text: 'A text for the history',
  history: 'Messages of a log, with roles and times',
  trace: 'A trace, played as a recording',
  session: 'A session, opened as one of its own',
  records: 'Questions of an evaluation, to look at one by one',
};

export function FileReview() {
  const { files: intake } = useModel();
  const files = useStore(intake.store, (state) => state.files);
  if (files.length === 0) return null;
  return (
    <Dialog
      title={files.length === 1 ? 'How is this file read?' : 'How are these files read?'}
      onClose={() => {
        intake.dismissAll();
      }}
    >
      <ul className="file-review">
        {files.map((each) => (
          <FileRow key={each.id} file={each} />
        ))}
      </ul>
      <div className="dialog-actions">
        <button
          type="button"
          className="button"
          onClick={() => {
            intake.dismissAll();
          }}
        >
          Leave out
        </button>
        <button type="button" className="button" data-first-focus onClick={() => void intake.confirm()}>
          Read
        </button>
      </div>
    </Dialog>
  );
}

function FileRow({ file: { id, file, reading, kind, encoding, preview } }: { readonly file: FileInReview }) {
  const { files: intake } = useModel();
  return (
    <li>
      <h3>
        <span translate="no">{file.name}</span>{' '}
        <span className="muted">{formatCompact(file.size)} bytes</span>
        <IconButton
          icon={X}
          label={`Leave ${file.name} out`}
          onClick={() => {
            intake.dismiss(id);
          }}
        />
      </h3>
      <p>{takenFor(reading)}</p>
      <label>
        Read as{' '}
        <select
          value={kind}
          aria-label={`What ${file.name} is read as`}
          onChange={(event) => void intake.change(id, { kind: event.target.value as FileKind })}
        >
          {Object.entries(KINDS)
            .filter(([value]) => value !== 'history' || reading.kind === 'history')
            .map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
        </select>
      </label>
      {kind !== 'trace' && (
        <>
          <label>
            Encoding{' '}
            <select
              value={encoding}
              aria-label={`Encoding of ${file.name}`}
              onChange={(event) => void intake.change(id, { encoding: event.target.value as TextEncoding })}
            >
              {Object.entries(TEXT_ENCODINGS).map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          {kind === 'history' && reading.log?.kind === 'history' ? (
            <FirstMessages history={reading.log.history} name={file.name} />
          ) : (
            <pre translate="no" aria-label={`How ${file.name} begins`}>
              {preview}
            </pre>
          )}
        </>
      )}
    </li>
  );
}

const SHOWN_MESSAGES = 4;
const SHOWN_CHARACTERS = 120;

function FirstMessages({ history, name }: { readonly history: ImportedHistory; readonly name: string }) {
  return (
    <ol className="first-messages" translate="no" aria-label={`How ${name} begins`}>
      {history.messages.slice(0, SHOWN_MESSAGES).map(({ role, text, label }, index) => (
        <li key={index}>
          <strong>{label ?? role}</strong> {text.slice(0, SHOWN_CHARACTERS)}
          {text.length > SHOWN_CHARACTERS && '…'}
        </li>
      ))}
    </ol>
  );
}

function takenFor(reading: FileInReview['reading']): string {
  const { kind, log, encoding, isCertain } = reading;
  if (kind === 'records') return 'It begins as records of questions do, whatever its name.';
  if (kind === 'trace') return 'It begins as a trace does, whatever its name.';
  if (kind === 'session') return 'It is a session saved as a file, whatever its name.';
  if (log?.kind === 'history') return describeHistory(log.history);
  const words = textWords(encoding, isCertain);
  if (log?.kind !== 'unknown') return words;
  return `${words} It is JSON, but no log of a chat that is known here: ${log.description}. Known are Claude Code and Codex sessions, lists of messages, OpenTelemetry’s GenAI spans, and LHAR.`;
}

function describeHistory({ format, messages, skipped }: ImportedHistory): string {
  const by = (role: Role) => messages.filter((message) => message.role === role).length;
  const roles = ROLES.filter((role) => by(role) > 0).map((role) => `${formatCount(by(role))} ${role}`);
  const times = messages.flatMap(({ timeMs }) => timeMs ?? []);
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const first = times[0];
  const when = first === undefined ? 'without times' : `from ${day(first)} to ${day(times.at(-1)!)} UTC`;
  const left = [...skipped].map(([what, count]) => `${formatCount(count)} × ${what}`).join(', ');
  const all = formatPlural(messages.length, 'message');
  return `${format}: ${all} (${roles.join(', ')}), ${when}.${left === '' ? '' : ` Left out: ${left}.`}`;
}

function textWords(encoding: TextEncoding, isCertain: boolean): string {
  const name = TEXT_ENCODINGS[encoding];
  if (isCertain) return `It is a text in ${name}.`;
  return encoding === 'utf-8'
    ? `It is nearly a text in ${name}: some of its bytes are none, and are shown as “\uFFFD”.`
    : `Its bytes are no UTF-8; ${name} is assumed. Choose another if it begins wrongly below.`;
}

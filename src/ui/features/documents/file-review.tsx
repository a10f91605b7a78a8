/** What files were taken for, before anything of them is ingested: each can be read as something else, or left out. */
import { X } from 'lucide-react';
import { useStore } from 'zustand';
import type { FileInReview } from '../../model/file-intake.ts';
import type { FileKind } from '../../model/files/file-kind.ts';
import { TEXT_ENCODINGS, type TextEncoding } from '../../model/files/text-encoding.ts';
import { formatCompact } from '../../words/format.ts';
import { useModel } from '../../view/hooks.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { IconButton } from '../../widgets/icon-button.tsx';

const KINDS: Readonly<Record<FileKind, string>> = {
  text: 'A text for the history',
  trace: 'A trace, played as a recording',
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
          {Object.entries(KINDS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {kind === 'text' && (
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
          <pre translate="no" aria-label={`How ${file.name} begins`}>
            {preview}
          </pre>
        </>
      )}
    </li>
  );
}

function takenFor({ kind, encoding, isCertain }: FileInReview['reading']): string {
  if (kind === 'trace') return 'It begins as a trace does, whatever its name.';
  const name = TEXT_ENCODINGS[encoding];
  if (isCertain) return `It is a text in ${name}.`;
  return encoding === 'utf-8'
    ? `It is nearly a text in ${name}: some of its bytes are none, and are shown as “\uFFFD”.`
    : `Its bytes are no UTF-8; ${name} is assumed. Choose another if it begins wrongly below.`;
}

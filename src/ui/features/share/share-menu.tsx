/** The part of the session menu that shares, saves and opens: each entry is a command. */
import {
  Archive,
  ChartGantt,
  FileArchive,
  FileDown,
  FolderOpen,
  Image,
  Link,
  Shapes,
  Table2,
} from 'lucide-react';
import { useCommands, useRecording } from '../../view/hooks.ts';

const ENTRIES: readonly {
  readonly id: string;
  readonly words: string;
  readonly icon: typeof Link;
  readonly needsSession: boolean;
}[] = [
  { id: 'copy-link', words: 'Copy link', icon: Link, needsSession: true },
  { id: 'open-trace', words: 'Open a session or trace…', icon: FolderOpen, needsSession: false },
  { id: 'export-session', words: 'Session (.ctx)', icon: Archive, needsSession: true },
  { id: 'export-trace', words: 'Trace (.jsonl)', icon: FileDown, needsSession: true },
  { id: 'export-trace-gzip', words: 'Trace, zipped (.gz)', icon: FileArchive, needsSession: true },
  { id: 'export-csv', words: 'Metrics (.csv)', icon: Table2, needsSession: true },
  { id: 'export-chrome-trace', words: 'For Perfetto (.json)', icon: ChartGantt, needsSession: true },
  { id: 'export-png', words: 'Picture (.png)', icon: Image, needsSession: true },
  { id: 'export-svg', words: 'Picture (.svg)', icon: Shapes, needsSession: true },
];

export function ShareMenu({
  hasSession,
  close,
}: {
  readonly hasSession: boolean;
  readonly close: () => void;
}) {
  const commands = useCommands();
  const hasRecording = useRecording((state) => state.recording !== null);
  return (
    <div className="share-menu" role="group" aria-label="Share and export">
      <h4>Share and export</h4>
      {ENTRIES.map(({ id, words, icon: Icon, needsSession }) => (
        <button
          key={id}
          type="button"
          className="menu-item share-item"
          title={commands.of(id).title}
          disabled={needsSession && !hasSession && !hasRecording}
          onClick={() => {
            close();
            commands.run(id);
          }}
        >
          <Icon size={14} aria-hidden /> {words}
        </button>
      ))}
    </div>
  );
}

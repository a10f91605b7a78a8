/** Find a command by typing part of its title. */
import { useState } from 'react';
import type { CommandEntry } from '../commands/commands.ts';
import { Dialog } from '../widgets/dialog.tsx';
import { Keycaps } from './help-dialog.tsx';
import { useCommands, useModel } from '../view/hooks.ts';

/** The chosen command must be seen, however far down the arrow keys went. */
function keepInView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' });
}

export function CommandPalette() {
  const commands = useCommands();
  const { shell } = useModel();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found: readonly CommandEntry[] = commands.all.filter(
    ({ id, title }) => id !== 'palette' && words.every((word) => title.toLowerCase().includes(word)),
  );
  const close = () => {
    shell.setState({ dialog: null });
  };
  const choose = (command: CommandEntry | undefined) => {
    if (!command) return;
    close();
    command.run();
  };
  return (
    <Dialog title="Find a command" className="palette" onClose={close}>
      <input
        data-first-focus
        type="text"
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={found[at] && `palette-${found[at].id}`}
        aria-label="Command"
        placeholder="Type to filter…"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (event.key === 'Enter') choose(found[at]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Commands">
        {found.map((command, i) => (
          <li
            key={command.id}
            id={`palette-${command.id}`}
            ref={i === at ? keepInView : null}
            role="option"
            aria-selected={i === at}
            onPointerMove={() => {
              setAt(i);
            }}
            onClick={() => {
              choose(command);
            }}
          >
            <span className="muted">{command.group}</span>
            <span>{command.title}</span>
            {command.keys[0] !== undefined && <Keycaps chord={command.keys[0]} />}
          </li>
        ))}
        {found.length === 0 && <li className="muted">No command matches “{query}”.</li>}
      </ul>
    </Dialog>
  );
}

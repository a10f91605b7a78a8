/** Keys and gestures, generated from the command table. */
import { Footprints } from 'lucide-react';
import { COMMANDS, type CommandEntry, runCommand } from '../commands/commands.ts';
import { chordWords } from '../commands/keymap.ts';
import { useShell } from '../state/shell-store.ts';
import { Dialog } from './dialog.tsx';

const GROUPS = ['Playback', 'View', 'Session', 'Page'] as const;

const GESTURES = [
  ['Wheel', 'zoom tokens at the pointer'],
  ['Shift + wheel', 'pan tokens'],
  ['Alt + wheel, or wheel over the steps', 'zoom steps'],
  ['Drag', 'pan both ways'],
  ['Drag along the step numbers', 'mark the range to loop'],
  ['Click or drag a track’s name', 'pin or move the track'],
  ['Drag in the overview', 'choose the visible tokens'],
  ['Click', 'select a block and move the playhead to its step'],
  ['Double click', 'zoom to the block'],
] as const;

export function HelpDialog() {
  return (
    <Dialog
      title="Keys and gestures"
      className="help"
      onClose={() => {
        useShell.setState({ dialog: null });
      }}
    >
      <button
        type="button"
        className="button help-tour"
        onClick={() => {
          useShell.setState({ dialog: null });
          runCommand('tour');
        }}
      >
        <Footprints size={14} aria-hidden /> Take the tour: five steps
      </button>
      <div className="help-grid">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {COMMANDS.filter((command) => command.group === group && command.keys.length > 0).map(
                (command) => (
                  <div key={command.id}>
                    <dt>{command.title}</dt>
                    <dd>
                      <Keycaps command={command} />
                    </dd>
                  </div>
                ),
              )}
            </dl>
          </section>
        ))}
        <section>
          <h3>On the timeline</h3>
          <dl>
            {GESTURES.map(([gesture, effect]) => (
              <div key={gesture}>
                <dt>{gesture}</dt>
                <dd className="muted">{effect}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

export function Keycaps({ command }: { readonly command: CommandEntry }) {
  const chord = command.keys[0];
  if (!chord) return null;
  return (
    <span className="keycaps">
      {chordWords(chord).map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  );
}

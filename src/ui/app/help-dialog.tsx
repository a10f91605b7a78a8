/** Keys and gestures, generated from the command table. */
import { Footprints } from 'lucide-react';
import { Dialog } from '../widgets/dialog.tsx';
import { useStore } from 'zustand';
import { useChordWords, useCommands, useKeyboard, useModel } from '../view/hooks.ts';

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

/** Keys that belong to one part of the page and act while it has the focus. */
const LOCAL_KEYS = [
  ['Tree explorer', '↑ ↓ ← →', 'parent, first child, siblings'],
  ['Tree explorer', 'Home End', 'first and last node of the level'],
  ['Tree explorer', 'Enter Esc', 'zoom to the node, zoom out by a level'],
  ['List of nodes', '↑ ↓ PageUp PageDown', 'walk the nodes, turn the pages'],
  ['Step as a table', '↑ ↓', 'the block before, the next block'],
  ['Step as a table', '← →', 'the step before, the next step'],
  ['Name of a track', 'Enter', 'pin it in place, or let it go'],
  ['Name of a track', '← → Del', 'move it, hide it'],
  ['Edge of a panel', '← →', 'change its width'],
  ['Tour', '← → Esc', 'back, next, close'],
] as const;

export function HelpDialog() {
  const commands = useCommands();
  const { shell } = useModel();
  const knowsKeyboard = useStore(useKeyboard().store, (state) => state.isComplete);
  return (
    <Dialog
      title="Keys and gestures"
      className="help"
      onClose={() => {
        shell.setState({ dialog: null });
      }}
    >
      <button
        type="button"
        className="button help-tour"
        onClick={() => {
          shell.setState({ dialog: null });
          commands.run('tour');
        }}
      >
        <Footprints size={14} aria-hidden /> Take the tour: five steps
      </button>
      <p className="muted">
        {knowsKeyboard
          ? 'Keys are named as your keyboard has them.'
          : 'Keys are meant by their place. Until pressed, they are named as a US keyboard has them: this browser does not tell what yours writes there.'}
      </p>
      <div className="help-grid">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {commands.all
                .filter((command) => command.group === group && command.keys.length > 0)
                .map((command) => (
                  <div key={command.id}>
                    <dt>{command.title}</dt>
                    <dd>
                      {command.keys.map((chord) => (
                        <Keycaps key={chord} chord={chord} />
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Where the focus is</h3>
          <dl>
            {LOCAL_KEYS.map(([place, keys, effect]) => (
              <div key={`${place} ${keys}`}>
                <dt>
                  {place}: <span className="muted">{effect}</span>
                </dt>
                <dd>
                  <span className="keycaps">
                    {keys.split(' ').map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </span>
                </dd>
              </div>
            ))}
          </dl>
        </section>
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

export function Keycaps({ chord }: { readonly chord: string }) {
  const chordWords = useChordWords();
  return (
    <span className="keycaps">
      {chordWords(chord).map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  );
}

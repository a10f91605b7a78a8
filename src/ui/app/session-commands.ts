/** The commands that act on the open session. */
import type { CommandEntry } from '../commands/commands.ts';
import type { Model } from '../model/model.ts';

export function sessionCommands({ actions, steering }: Model): readonly CommandEntry[] {
  return [
    {
      id: 'run',
      title: 'Run or pause ingestion',
      group: 'Session',
      keys: ['r'],
      run: () => {
        void actions.toggleRunning();
      },
    },
    {
      id: 'undo',
      title: 'Undo the last act by hand',
      group: 'Session',
      keys: ['Mod+z'],
      run: () => {
        void steering.undo();
      },
    },
    {
      id: 'redo',
      title: 'Redo the last act by hand',
      group: 'Session',
      keys: ['Mod+Shift+Z', 'Mod+y'],
      run: () => {
        void steering.redo();
      },
    },
    {
      id: 'step',
      title: 'Ingest one block and refocus',
      group: 'Session',
      keys: ['n'],
      run: () => {
        void actions.step();
      },
    },
  ];
}

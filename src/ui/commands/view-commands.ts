/** The commands that zoom, pan and select in a view of a run. */
import type { RunView } from '../model/run-view.ts';
import type { CommandEntry } from './commands.ts';

const ZOOM = 1.35;

export function viewCommands(view: RunView): readonly CommandEntry[] {
  return [
    {
      id: 'zoom-in',
      title: 'Zoom in on tokens',
      group: 'View',
      keys: ['w'],
      repeats: true,
      run: () => {
        view.viewport.zoomTokens(1 / ZOOM);
      },
    },
    {
      id: 'zoom-out',
      title: 'Zoom out',
      group: 'View',
      keys: ['s'],
      repeats: true,
      run: () => {
        view.viewport.zoomTokens(ZOOM);
      },
    },
    {
      id: 'pan-left',
      title: 'Pan left',
      group: 'View',
      keys: ['a'],
      repeats: true,
      run: () => {
        view.viewport.panTokens(-0.15);
      },
    },
    {
      id: 'pan-right',
      title: 'Pan right',
      group: 'View',
      keys: ['d'],
      repeats: true,
      run: () => {
        view.viewport.panTokens(0.15);
      },
    },
    {
      id: 'rows-higher',
      title: 'Higher rows',
      group: 'View',
      keys: ['Shift+W'],
      repeats: true,
      run: () => {
        view.viewport.zoomSteps(ZOOM);
      },
    },
    {
      id: 'rows-lower',
      title: 'Lower rows',
      group: 'View',
      keys: ['Shift+S'],
      repeats: true,
      run: () => {
        view.viewport.zoomSteps(1 / ZOOM);
      },
    },
    {
      id: 'focus',
      title: 'Zoom to the selected block; again to fit',
      group: 'View',
      keys: ['f'],
      run: () => {
        view.viewport.focusSelection();
      },
    },
    {
      id: 'fit',
      title: 'Fit everything',
      group: 'View',
      keys: ['0'],
      run: () => {
        view.viewport.fitAll();
      },
    },
    {
      id: 'reset-view',
      title: 'Let the view follow the run',
      group: 'View',
      keys: ['g'],
      run: () => {
        view.viewport.followRun();
      },
    },
    {
      id: 'colour',
      title: 'Colour by level of detail or by score',
      group: 'View',
      keys: ['c'],
      run: () => {
        const { colourBy } = view.viewport.state;
        view.viewport.set({ colourBy: colourBy === 'lod' ? 'score' : 'lod' });
      },
    },
    {
      id: 'table',
      title: 'Show the step as a table',
      group: 'View',
      keys: ['t'],
      run: () => {
        view.viewport.set({ tableOpen: !view.viewport.state.tableOpen });
      },
    },
    {
      id: 'next-block',
      title: 'Select the next block',
      group: 'View',
      keys: ['Shift+D'],
      repeats: true,
      run: () => {
        view.selectNeighbour(1);
      },
    },
    {
      id: 'previous-block',
      title: 'Select the previous block',
      group: 'View',
      keys: ['Shift+A'],
      repeats: true,
      run: () => {
        view.selectNeighbour(-1);
      },
    },
    {
      id: 'deselect',
      title: 'Clear the selection',
      group: 'View',
      keys: ['Escape'],
      run: () => {
        view.select(null);
      },
    },
  ];
}

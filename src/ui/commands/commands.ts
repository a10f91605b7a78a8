/** Every command of the page, once: buttons, keys and the palette run these and nothing else. */
import { openBranch } from '../features/branch/branch-actions.ts';
import { openCompare } from '../features/compare/compare-actions.ts';
import { openEvaluate } from '../features/evaluate/evaluate-actions.ts';
import { startSearch, toggleExplorer } from '../features/explorer/explorer-actions.ts';
import { openLensTraining } from '../features/training/lens-training-actions.ts';
import { choosePreset } from '../features/presets/apply-preset.ts';
import { pause, run, stepOnce } from '../model/session-actions.ts';
import { redo, undo } from '../model/steering.ts';
import { copyLink } from '../features/share/address-sync.ts';
import { savePicture, saveRun } from '../features/share/export-actions.ts';
import { chooseRecording, closeRecording } from '../features/share/recording.ts';
import { useSession } from '../model/session-store.ts';
import { resolvedTheme, useShell } from '../app/shell-store.ts';
import { startTour } from '../features/tour/tour-store.ts';
import { useView } from '../model/view-store.ts';
import type { CommandEntry } from './command-entry.ts';
import { PLAYBACK_COMMANDS } from './playback-commands.ts';
import {
  fitAll,
  focusSelection,
  followWindows,
  panTokenAxis,
  select,
  selectNeighbour,
  zoomStepAxis,
  zoomTokenAxis,
} from './view-actions.ts';

export type { CommandEntry } from './command-entry.ts';

const ZOOM = 1.35;

export const COMMANDS = [
  ...PLAYBACK_COMMANDS,
  {
    id: 'zoom-in',
    title: 'Zoom in on tokens',
    group: 'View',
    keys: ['w'],
    repeats: true,
    run: () => {
      zoomTokenAxis(1 / ZOOM);
    },
  },
  {
    id: 'zoom-out',
    title: 'Zoom out',
    group: 'View',
    keys: ['s'],
    repeats: true,
    run: () => {
      zoomTokenAxis(ZOOM);
    },
  },
  {
    id: 'pan-left',
    title: 'Pan left',
    group: 'View',
    keys: ['a'],
    repeats: true,
    run: () => {
      panTokenAxis(-0.15);
    },
  },
  {
    id: 'pan-right',
    title: 'Pan right',
    group: 'View',
    keys: ['d'],
    repeats: true,
    run: () => {
      panTokenAxis(0.15);
    },
  },
  {
    id: 'rows-higher',
    title: 'Higher rows',
    group: 'View',
    keys: ['Shift+W'],
    repeats: true,
    run: () => {
      zoomStepAxis(ZOOM);
    },
  },
  {
    id: 'rows-lower',
    title: 'Lower rows',
    group: 'View',
    keys: ['Shift+S'],
    repeats: true,
    run: () => {
      zoomStepAxis(1 / ZOOM);
    },
  },
  {
    id: 'focus',
    title: 'Zoom to the selected block; again to fit',
    group: 'View',
    keys: ['f'],
    run: focusSelection,
  },
  { id: 'fit', title: 'Fit everything', group: 'View', keys: ['0'], run: fitAll },
  { id: 'reset-view', title: 'Let the view follow the run', group: 'View', keys: ['g'], run: followWindows },
  {
    id: 'colour',
    title: 'Colour by level of detail or by score',
    group: 'View',
    keys: ['c'],
    run: () => {
      useView.setState(({ colourBy }) => ({ colourBy: colourBy === 'lod' ? 'score' : 'lod' }));
    },
  },
  {
    id: 'table',
    title: 'Show the step as a table',
    group: 'View',
    keys: ['t'],
    run: () => {
      useView.setState(({ tableOpen }) => ({ tableOpen: !tableOpen }));
    },
  },
  {
    id: 'explorer',
    title: 'Show the tree explorer',
    group: 'View',
    keys: ['e'],
    run: toggleExplorer,
  },
  {
    id: 'find',
    title: 'Search the history',
    group: 'View',
    keys: ['/'],
    run: startSearch,
  },
  {
    id: 'next-block',
    title: 'Select the next block',
    group: 'View',
    keys: ['Shift+D'],
    repeats: true,
    run: () => {
      selectNeighbour(1);
    },
  },
  {
    id: 'previous-block',
    title: 'Select the previous block',
    group: 'View',
    keys: ['Shift+A'],
    repeats: true,
    run: () => {
      selectNeighbour(-1);
    },
  },
  {
    id: 'deselect',
    title: 'Clear the selection',
    group: 'View',
    keys: ['Escape'],
    run: () => {
      select(null);
    },
  },
  { id: 'run', title: 'Run or pause ingestion', group: 'Session', keys: ['r'], run: toggleRunning },
  {
    id: 'undo',
    title: 'Undo the last act by hand',
    group: 'Session',
    keys: ['Mod+z'],
    run: () => {
      void undo();
    },
  },
  {
    id: 'redo',
    title: 'Redo the last act by hand',
    group: 'Session',
    keys: ['Mod+Shift+Z', 'Mod+y'],
    run: () => {
      void redo();
    },
  },
  {
    id: 'step',
    title: 'Ingest one block and refocus',
    group: 'Session',
    keys: ['n'],
    run: () => {
      closeRecording();
      void stepOnce();
    },
  },
  {
    id: 'branch',
    title: 'Branch from this step with other parameters',
    group: 'Session',
    keys: ['b'],
    run: openBranch,
  },
  {
    id: 'compare',
    title: 'Compare two runs',
    group: 'Session',
    keys: ['v'],
    run: openCompare,
  },
  {
    id: 'export-trace',
    title: 'Save the trace as a file',
    group: 'Session',
    keys: [],
    run: () => {
      void saveRun('trace');
    },
  },
  {
    id: 'export-trace-gzip',
    title: 'Save the trace as a zipped file',
    group: 'Session',
    keys: [],
    run: () => {
      void saveRun('trace-gzip');
    },
  },
  {
    id: 'export-csv',
    title: 'Save the metrics of every step as CSV',
    group: 'Session',
    keys: [],
    run: () => {
      void saveRun('csv');
    },
  },
  {
    id: 'export-chrome-trace',
    title: 'Save the run for Perfetto (Chrome trace JSON)',
    group: 'Session',
    keys: [],
    run: () => {
      void saveRun('chrome-trace');
    },
  },
  {
    id: 'export-png',
    title: 'Save a picture of the timeline (PNG)',
    group: 'Session',
    keys: [],
    run: () => {
      void savePicture('png');
    },
  },
  {
    id: 'export-svg',
    title: 'Save a picture of the timeline (SVG)',
    group: 'Session',
    keys: [],
    run: () => {
      void savePicture('svg');
    },
  },
  {
    id: 'copy-link',
    title: 'Copy a link to this view',
    group: 'Session',
    keys: ['Mod+Shift+L'],
    run: () => {
      void copyLink();
    },
  },
  { id: 'open-trace', title: 'Open a trace file', group: 'Session', keys: ['Mod+o'], run: chooseRecording },
  {
    id: 'close-recording',
    title: 'Back from a recording to the live session',
    group: 'Session',
    keys: [],
    run: closeRecording,
  },
  {
    id: 'preset-topic-shift',
    title: 'Preset: topic shift, in a new session',
    group: 'Session',
    keys: [],
    run: () => {
      choosePreset('topic-shift');
    },
  },
  {
    id: 'preset-needle',
    title: 'Preset: needle, in a new session',
    group: 'Session',
    keys: [],
    run: () => {
      choosePreset('needle');
    },
  },
  {
    id: 'preset-thrashing',
    title: 'Preset: thrashing, in a new session',
    group: 'Session',
    keys: [],
    run: () => {
      choosePreset('thrashing');
    },
  },
  { id: 'chat', title: 'Go to the chat', group: 'Page', keys: ['q'], run: focusChat },
  {
    id: 'evaluate',
    title: 'Evaluate policies on questions',
    group: 'Page',
    keys: ['Shift+E'],
    run: openEvaluate,
  },
  {
    id: 'train-lens',
    title: 'Train LensNet on this session',
    group: 'Session',
    keys: ['Shift+N'],
    run: openLensTraining,
  },
  {
    id: 'palette',
    title: 'Find a command',
    group: 'Page',
    keys: ['Mod+k'],
    run: () => {
      useShell.setState({ dialog: 'palette' });
    },
  },
  {
    id: 'definitions',
    title: 'Definitions of the page’s words',
    group: 'Page',
    keys: [],
    run: () => {
      useShell.setState({ dialog: null, definition: 'all' });
    },
  },
  {
    id: 'help',
    title: 'Keys and gestures',
    group: 'Page',
    keys: ['?'],
    run: () => {
      useShell.setState({ dialog: 'help' });
    },
  },
  { id: 'tour', title: 'Take the tour', group: 'Page', keys: [], run: startTour },
  {
    id: 'theme',
    title: 'Light or dark',
    group: 'Page',
    keys: [],
    run: () => {
      useShell.setState(({ theme }) => ({ theme: resolvedTheme(theme) === 'dark' ? 'light' : 'dark' }));
    },
  },
  {
    id: 'left-panel',
    title: 'Show or hide the setup panel',
    group: 'Page',
    keys: ['Mod+b'],
    run: () => {
      useShell.setState(({ leftOpen }) => ({ leftOpen: !leftOpen }));
    },
  },
  {
    id: 'right-panel',
    title: 'Show or hide the chat panel',
    group: 'Page',
    keys: ['Mod+j'],
    run: () => {
      useShell.setState(({ rightOpen }) => ({ rightOpen: !rightOpen }));
    },
  },
] as const satisfies readonly CommandEntry[];

export type CommandId = (typeof COMMANDS)[number]['id'];

const byId = new Map<string, CommandEntry>(COMMANDS.map((command) => [command.id, command]));

export function commandOf(id: CommandId): CommandEntry {
  return byId.get(id)!;
}

export function runCommand(id: CommandId): void {
  commandOf(id).run();
}

function toggleRunning(): void {
  closeRecording();
  void (useSession.getState().running ? pause() : run());
}

function focusChat(): void {
  useShell.setState({ rightOpen: true, rightTab: 'chat', mobileTab: 'chat' });
  requestAnimationFrame(() => document.getElementById('chat-input')?.focus());
}

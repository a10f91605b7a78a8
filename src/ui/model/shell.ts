/** The page's furniture: theme, panels, tabs, open dialogs. Remembered in localStorage where there is one. */
import { type StoreApi, createStore } from 'zustand';
import type { DefinitionId } from '../../core/parameters/definitions.ts';

type Theme = 'auto' | 'light' | 'dark';
export type MobileTab = 'timeline' | 'chat' | 'inspector' | 'questions' | 'setup';

interface Remembered {
  readonly theme: Theme;
  readonly leftWidth: number;
  readonly rightWidth: number;
  readonly leftOpen: boolean;
  readonly rightOpen: boolean;
}

export interface ShellState extends Remembered {
  /** `questions` is there while a file of them is open. */
  readonly rightTab: 'chat' | 'inspector' | 'questions';
  readonly mobileTab: MobileTab;
  readonly dialog:
    | 'help'
    | 'palette'
    | 'evaluate'
    | 'lens-training'
    | 'compare'
    | 'branch'
    | 'models'
    | 'sessions'
    | 'profile'
    | null;
  /** The definition that is shown, over whatever dialog is open; `all` begins at the first. */
  readonly definition: DefinitionId | 'all' | null;
}

export const LEFT_WIDTH = { min: 220, max: 440, initial: 288 } as const;
export const RIGHT_WIDTH = { min: 260, max: 560, initial: 340 } as const;

const STORAGE_KEY = 'megacontext-playground.shell';
const INITIAL: Remembered = {
  theme: 'auto',
  leftWidth: LEFT_WIDTH.initial,
  rightWidth: RIGHT_WIDTH.initial,
  leftOpen: true,
  rightOpen: true,
};

export type Shell = StoreApi<ShellState>;

export function createShell(): Shell {
  const shell = createStore<ShellState>()(() => ({
    ...remembered(),
    rightTab: 'chat',
    mobileTab: 'timeline',
    dialog: null,
    definition: null,
  }));
  shell.subscribe(({ theme, leftWidth, rightWidth, leftOpen, rightOpen }) => {
    try {
      localStorage.setItem(
        STORAGE_KEY,
        JSON.stringify({ theme, leftWidth, rightWidth, leftOpen, rightOpen }),
      );
    } catch {
      // Storage may be forbidden or full; the page works without remembering its furniture.
    }
  });
  return shell;
}

function remembered(): Remembered {
  try {
    const stored = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<
      Record<keyof Remembered, unknown>
    >;
    return {
      theme: stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'auto',
      leftWidth: bounded(stored.leftWidth, LEFT_WIDTH),
      rightWidth: bounded(stored.rightWidth, RIGHT_WIDTH),
      leftOpen: stored.leftOpen !== false,
      rightOpen: stored.rightOpen !== false,
    };
  } catch {
    return INITIAL;
  }
}

function bounded(
  value: unknown,
  { min, max, initial }: { min: number; max: number; initial: number },
): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(Math.max(value, min), max) : initial;
}

/** The theme in force, with `auto` resolved. */
export function resolvedTheme(theme: Theme): 'light' | 'dark' {
  if (theme !== 'auto') return theme;
  return globalThis.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

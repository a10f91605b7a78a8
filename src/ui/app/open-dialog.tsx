/** The dialog that is open, if any. Those that bring much code are fetched when they open. */
import type { ComponentType } from 'react';
import { BranchDialog } from '../features/branch/branch-dialog.tsx';
import { reportError } from '../model/problem-store.ts';
import { Loaded } from '../widgets/loaded.tsx';
import { CommandPalette } from './command-palette.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { useShell } from './shell-store.ts';

const FETCHED: Readonly<Record<'evaluate' | 'lens-training' | 'compare', () => Promise<ComponentType>>> = {
  evaluate: async () => (await import('../features/evaluate/evaluate-dialog.tsx')).EvaluateDialog,
  'lens-training': async () =>
    (await import('../features/training/lens-training-dialog.tsx')).LensTrainingDialog,
  compare: async () => (await import('../features/compare/compare-dialog.tsx')).CompareDialog,
};

export function OpenDialog() {
  const dialog = useShell((state) => state.dialog);
  switch (dialog) {
    case null:
      return null;
    case 'help':
      return <HelpDialog />;
    case 'palette':
      return <CommandPalette />;
    case 'branch':
      return <BranchDialog />;
    case 'evaluate':
    case 'lens-training':
    case 'compare':
      return (
        <Loaded
          key={dialog}
          load={FETCHED[dialog]}
          onFailure={(error) => {
            useShell.setState({ dialog: null });
            reportError('The dialog could not be opened', error);
          }}
        />
      );
  }
}

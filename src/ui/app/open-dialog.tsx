/** The dialog that is open, if any. Those that bring much code are fetched when they open. */
import { type ComponentType, useMemo } from 'react';
import { ParameterGroups } from '../features/parameters/parameter-groups.tsx';
import { Timeline } from '../features/timeline/timeline.tsx';
import { useModel, useShell } from '../view/hooks.ts';
import type { ShellState } from '../model/shell.ts';
import { ErrorBoundary } from '../widgets/error-boundary.tsx';
import { Loaded } from '../widgets/loaded.tsx';
import { CommandPalette } from './command-palette.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { usePage } from './page-providers.tsx';
import type { Page } from './page.ts';

type Fetch = () => Promise<ComponentType>;

function fetched({
  evaluation,
  training,
  compare,
  profile,
  branch,
}: Page): Readonly<
  Record<'evaluate' | 'lens-training' | 'compare' | 'models' | 'profile' | 'branch' | 'sessions', Fetch>
> {
  return {
    evaluate: async () => {
      const { EvaluateDialog } = await import('../features/evaluate/evaluate-dialog.tsx');
      return () => <EvaluateDialog evaluation={evaluation} />;
    },
    'lens-training': async () => {
      const { LensTrainingDialog } = await import('../features/training/lens-training-dialog.tsx');
      return () => <LensTrainingDialog training={training} />;
    },
    models: async () => {
      const { ModelsDialog } = await import('../features/models/models-dialog.tsx');
      return ModelsDialog;
    },
    branch: async () => {
      const { BranchDialog } = await import('../features/branch/branch-dialog.tsx');
      return () => <BranchDialog branch={branch} parameters={ParameterGroups} />;
    },
    sessions: async () => {
      const { SessionsDialog } = await import('../features/sessions/sessions-dialog.tsx');
      return SessionsDialog;
    },
    profile: async () => {
      const { ProfileDialog } = await import('../features/profile/profile-dialog.tsx');
      return () => <ProfileDialog profile={profile} />;
    },
    compare: async () => {
      const { CompareDialog } = await import('../features/compare/compare-dialog.tsx');
      return () => <CompareDialog compare={compare} timeline={Timeline} />;
    },
  };
}

export function OpenDialog() {
  const { shell, problems } = useModel();
  const dialog = useShell((state) => state.dialog);
  const close = (error: unknown) => {
    shell.setState({ dialog: null });
    problems.reportError('The dialog could not be shown', error);
  };
  return (
    <ErrorBoundary key={dialog} name="Dialog" onFailure={close}>
      <NamedDialog dialog={dialog} onFailure={close} />
    </ErrorBoundary>
  );
}

interface NamedDialogProps {
  readonly dialog: ShellState['dialog'];
  readonly onFailure: (error: unknown) => void;
}

function NamedDialog({ dialog, onFailure }: NamedDialogProps) {
  const page = usePage();
  const dialogs = useMemo(() => fetched(page), [page]);
  switch (dialog) {
    case null:
      return null;
    case 'help':
      return <HelpDialog />;
    case 'palette':
      return <CommandPalette />;
    case 'evaluate':
    case 'lens-training':
    case 'compare':
    case 'models':
    case 'profile':
    case 'sessions':
    case 'branch':
      return <Loaded key={dialog} load={dialogs[dialog]} onFailure={onFailure} />;
  }
}

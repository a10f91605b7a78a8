/** The branch that is replayed or was last, and the form of the next one. */
import { create } from 'zustand';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { BranchProgress } from '../../../runtime/engine/protocol/protocol.ts';

interface BranchForm {
  /** The refocus step to branch from. */
  readonly step: number;
  /** The parameters in force at that step. */
  readonly original: RunConfig;
  readonly changes: Partial<RunConfig>;
}

interface BranchStore {
  readonly form: BranchForm | null;
  readonly starting: boolean;
  readonly progress: BranchProgress | null;
}

export const useBranch = create<BranchStore>()(() => ({ form: null, starting: false, progress: null }));

export function acceptBranch(progress: BranchProgress): void {
  useBranch.setState({ progress });
}

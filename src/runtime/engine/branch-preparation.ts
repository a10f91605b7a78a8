/** Makes the session of a branch. The original is read, never written; only `create` writes, to the branch. */
import type { RunConfig } from '../../core/trace/config.ts';
import { applyConfigChanges } from '../../core/trace/config.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import type { SessionHandle, SessionId, SessionStore, StoredSession } from '../../storage/ports.ts';
import type { Session } from '../session/session.ts';
import { readLensRecord, writeLensRecord } from '../lens-training/kept-lens.ts';
import { applyModelChanges, withKnownWeights } from '../session/head/lens-variant.ts';
import type { BranchProgress } from '../session/messages/run-messages.ts';
import { mustFitModel } from '../session/journal/session-restore.ts';
import type { BranchPlan } from '../session/branching/branch-plan.ts';
import { type BranchOrigin, BranchReplay } from '../session/branching/branch-replay.ts';
import type { StoredRuns } from '../session/branching/stored-runs.ts';

export interface BranchPorts {
  readonly store: SessionStore;
  readonly runs: StoredRuns;
  readonly model: LoadedModel;
  /** The model's own parameters. */
  readonly defaults: RunConfig;
}

/** What is to become a session, and where it differs from its original. */
export interface PlannedBranch {
  readonly title: string;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly from: Pick<BranchOrigin, 'step' | 'without'>;
  readonly plan: BranchPlan;
}

export interface PreparedBranch {
  /** A new session that holds what the original held at the step, open for writing. */
  create(createdAtMs: number): Promise<SessionHandle>;
  /** What follows, in the branch's opened session. */
  replayIn(session: Session, report: (progress: BranchProgress) => void): BranchReplay;
}

/** @throws what keeps the branch from being made; nothing is written then. */
export async function prepareBranch(
  sessionId: SessionId,
  planned: (stored: StoredSession) => PlannedBranch,
  { store, runs, model, defaults }: BranchPorts,
): Promise<PreparedBranch> {
  const stored = await runs.read(sessionId);
  const { record, tokens } = stored;
  mustFitModel(stored, model);
  const { title, from, ...as } = planned(stored);
  const plan = followable(as.plan, model);
  const changed = applyModelChanges(model, applyConfigChanges(defaults, plan.config), as.changes);
  const ids = Object.keys(as.changes) as (keyof RunConfig)[];
  const changes = Object.fromEntries(ids.map((id) => [id, changed[id]]));
  const lens = plan.modelHash.includes('+lensnet-') ? await readLensRecord(store, sessionId) : null;
  return {
    create: async (createdAt) => {
      const { modelId, modelHash } = record;
      const handle = await store.create({ title, createdAt, modelId, modelHash, config: plan.config });
      await handle.append(plan.batch, 'strict');
      if (lens?.kept != null) await writeLensRecord(store, handle.id, { ...lens, draft: null });
      return handle;
    },
    replayIn: (session, report) => {
      const origin = { sessionId, title: record.title, ...from };
      return new BranchReplay(session, origin, plan, tokens, changes, report);
    },
  };
}

/** The plan without the LensNets that this model lacks; its notes say so. */
function followable(plan: BranchPlan, model: LoadedModel): BranchPlan {
  const notes = new Set(plan.notes);
  const follow = <C extends Partial<RunConfig>>(recorded: C): C => {
    const { config, note } = withKnownWeights(model, recorded);
    if (note !== null) notes.add(note);
    return config;
  };
  const acts = plan.acts.map((act) =>
    act.kind === 'config' ? { ...act, changes: follow(act.changes) } : act,
  );
  return { ...plan, config: follow(plan.config), acts, notes: [...notes] };
}

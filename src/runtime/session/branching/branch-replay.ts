/**
 * Follows the script of a branch in its session: the same tokens come in, the same questions are asked, and
 * answers are decoded anew. Owns the progress; knows neither the store nor the original's handle.
 */
import type { RunConfig } from '../../../core/trace/config.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import type { Session } from '../session.ts';
import { EngineError, toWireError } from '../messages/errors.ts';
import type { BranchProgress } from '../messages/run-messages.ts';
import { type BranchPlan, type ReplayAct, endOf } from './branch-plan.ts';

export interface BranchOrigin {
  readonly sessionId: string;
  readonly title: string;
  readonly step: number;
  readonly without: string | null;
}

export class BranchReplay {
  private phase: BranchProgress['phase'] = 'replaying';
  private failure: BranchProgress['error'] = null;
  private readonly notes: string[];
  private refusedMoves = 0;
  private work: Promise<void> = Promise.resolve();

  /**
   * @param tokens - the original's whole history; borrowed.
   * @param changes - where the branch differs from the original, whatever that was set to later.
   */
  constructor(
    private readonly session: Session,
    private readonly origin: BranchOrigin,
    private readonly plan: BranchPlan,
    private readonly tokens: Uint32Array,
    private readonly changes: Partial<RunConfig>,
    private readonly report: (progress: BranchProgress) => void,
  ) {
    this.notes = [...plan.notes];
  }

  get isRunning(): boolean {
    return this.phase === 'replaying';
  }

  get progress(): BranchProgress {
    const { sessionId, title, step, without } = this.origin;
    return {
      branchId: this.session.state.record.id,
      originalId: sessionId,
      originalTitle: title,
      step,
      without,
      phase: this.phase,
      doneTokens: Math.max(0, this.session.memory.tree.tokenCount - this.plan.cursor),
      totalTokens: this.plan.totalTokens,
      notes: this.notes,
      error: this.failure,
    };
  }

  start(): void {
    this.work = this.follow();
  }

  /** What was replayed so far stays. Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    if (this.isRunning) this.phase = 'stopped';
    this.session.stopAnswer();
    await this.work;
  }

  private async follow(): Promise<void> {
    // The command that started it is answered first.
    await yieldToEvents();
    try {
      if (Object.keys(this.changes).length > 0) this.session.setConfig(this.changes);
      for (const act of this.plan.acts) {
        if (!this.isRunning) break;
        await this.repeat(act);
        this.report(this.progress);
      }
      if (this.refusedMoves > 0) {
        this.notes.push(
          `${this.refusedMoves} acts by hand of the original were not possible here and left out.`,
        );
      }
      if (this.isRunning) this.finish();
    } catch (error) {
      this.phase = 'failed';
      this.failure = toWireError(error);
    }
    await this.session.steps.store();
    this.report(this.progress);
  }

  /** Whether focus is renewed where it would be in reading, not where the original did: other places are due here. */
  private get readsAnew(): boolean {
    return this.changes.refocusCadence !== undefined || this.origin.without !== null;
  }

  /** What waits to be read in the original waits here, too. */
  private finish(): void {
    const { session, plan } = this;
    this.phase = 'done';
    if (plan.pending.length === 0) return;
    session.steps.queue.takeUp(plan.pending, session.steps.telemetry.wallClockMs());
    session.steps.notify({ kind: 'state', state: session.state });
  }

  private async repeat(act: ReplayAct): Promise<void> {
    const { session } = this;
    switch (act.kind) {
      case 'ingest':
        return this.ingest(act);
      case 'turn':
        await session.takeTurn(act.beginning);
        return;
      case 'refocus':
        await session.steps.exclusive(() => session.steps.refocus(act.trigger));
        return;
      case 'move':
        return this.byHand(() => session.act(act.action.kind, act.action, { head: act.head }));
      case 'mark':
        return this.byHand(() => session.act(act.mark.kind, act.mark, { name: act.mark.name }));
      case 'hide':
        return this.byHand(() => session.hideDocument(act.documentId, act.isHidden));
      case 'prune':
        return this.byHand(() => session.prune(act.runs));
      case 'restore':
        return this.byHand(() => session.restorePruned(act.runs));
      case 'config':
        session.setConfig({ ...act.changes, ...this.changes });
    }
  }

  private async ingest(act: Extract<ReplayAct, { kind: 'ingest' }>): Promise<void> {
    const { steps } = this.session;
    const { tree } = steps.focus.memory;
    steps.queue.add(this.tokens.slice(act.start, endOf(act)), act.origin);
    const pieces = act.pieces.values();
    while (this.isRunning && steps.queue.pendingTokens > 0) {
      await steps.exclusive(async () => {
        if (this.readsAnew) await steps.readOn(false);
        else {
          const { end, refocuses } = pieces.next().value!;
          await steps.readPiece(end - tree.tokenCount, () => refocuses);
        }
        await steps.storeIfDue();
        await steps.measureDeltaNll();
      });
      this.report(this.progress);
      await yieldToEvents();
    }
  }

  /** What the branch's own context does not allow is left out and counted. */
  private async byHand(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.refusedMoves++;
    }
  }
}

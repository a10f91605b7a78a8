/** Moves detail of the history to the cold tier and back: tree, storage and trace together. Nothing is erased. */
import type { RunConfig } from '../../../core/trace/config.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import { protectedStart } from '../../../core/context/moves.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Lod } from '../../../core/tree/ids.ts';
import { commonRuns, spanOfRun } from '../../../core/tree/node-runs.ts';
import type { NodeRun } from '../../../core/tree/ids.ts';
import { gistAbove, payloadBytes, planPruning } from '../../../core/tree/pruning/prune-plan.ts';
import type { PrunePlan } from '../../../core/tree/pruning/prune-plan.ts';
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import { crc32 } from '../../../base/crc32.ts';
import type { SessionHandle, SpanMark } from '../../../storage/ports.ts';
import type { SessionJournal } from '../journal/session-journal.ts';
import { EngineError } from '../messages/errors.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';

export interface PrunerParts {
  readonly tree: GistTree;
  readonly telemetry: TelemetryRecorder;
  /** Where pruned gists lie; null for a session that is not stored, which prunes nothing. */
  readonly storage: { readonly handle: SessionHandle; readonly journal: SessionJournal } | null;
  /** What must not go beside what the rules keep. */
  readonly standing: () => {
    readonly step: number;
    readonly config: RunConfig;
    readonly layouts: readonly Layout[];
    readonly marks: readonly SpanMark[];
  };
}

type PruneEvent = TelemetryEventOf<'prune'>;

/** Measured ΔNLL of some nodes, nats/token. */
export interface MeasuredLoss {
  readonly nodes: number;
  readonly meanDeltaNll: number;
  readonly maxDeltaNll: number;
}

export class Pruner {
  constructor(private readonly parts: PrunerParts) {}

  /** What would go now. Changes nothing. */
  plan(): PrunePlan {
    const { tree } = this.parts;
    const { step, config, layouts, marks } = this.parts.standing();
    const recent = { start: protectedStart(tree.tokenCount, config), end: tree.tokenCount };
    return planPruning({
      tree,
      rules: config,
      step,
      protectedSpans: [recent, ...marks.filter(({ kind }) => kind !== 'forbid')],
      heldEntries: layouts.flatMap(({ entries }) => entries),
    });
  }

  /** What the trace tells of nodes that were measured, of those in the plan; null where none was. */
  measuredLoss(runs: readonly NodeRun[]): MeasuredLoss | null {
    const { tree } = this.parts;
    const known = new Map<number, number>();
    for (const { lod, first, count } of runs) {
      for (let row = first; row < first + count; row++) {
        const above = gistAbove({ lod, first: row, count: 1 });
        const deltaNll = tree.metadata(above.lod).sensitivity.get(above.start / tokensPerEntry(above.lod));
        if (!Number.isNaN(deltaNll)) known.set(above.lod * 2 ** 40 + above.start, deltaNll);
      }
    }
    const figures = [...known.values()];
    if (figures.length === 0) return null;
    const meanDeltaNll = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
    return {
      nodes: figures.length,
      meanDeltaNll,
      maxDeltaNll: figures.reduce((most, figure) => Math.max(most, figure)),
    };
  }

  /** Prune whatever the rules let go. @returns the nodes that went. */
  async pruneByRules(): Promise<readonly NodeRun[]> {
    return this.parts.storage === null ? [] : this.prune(this.plan().runs, 'rules');
  }

  /**
   * Move nodes to the cold tier, those of them that may still go.
   *
   * @throws {EngineError} `not-legal` while storage refuses what is written; nothing is changed then.
   */
  async prune(wanted: readonly NodeRun[], reason: PruneEvent['reason']): Promise<readonly NodeRun[]> {
    const { tree } = this.parts;
    const runs = commonRuns(wanted, this.plan().runs);
    if (runs.length === 0) return runs;
    // Gists that only memory holds would be lost with it.
    const { journal } = await this.stored();
    const measured = this.measuredLoss(runs);
    await tree.bringIn(runs);
    this.note('prune', reason, runs, measured);
    tree.withhold(runs);
    journal.addPruning({ pruned: runs });
    await journal.flush('strict');
    return runs;
  }

  /**
   * Take nodes back from the cold tier, finest first.
   *
   * @throws {EngineError} `damaged` where their gists cannot be read; those before them are back then.
   */
  async restore(wanted: readonly NodeRun[], reason: PruneEvent['reason']): Promise<readonly NodeRun[]> {
    const { tree } = this.parts;
    const runs = commonRuns(wanted, tree.coldRuns);
    if (runs.length === 0) return runs;
    const { handle, journal } = await this.stored();
    const back: NodeRun[] = [];
    try {
      for (const run of runs) {
        const bits = run.lod === 0 ? null : await handle.readCold(run);
        if (run.lod > 0 && bits === null) throw unreadable(run);
        await tree.bringIn([run]);
        tree.restore(run, bits);
        back.push(run);
      }
    } finally {
      if (back.length > 0) {
        this.note('restore', reason, back, null);
        journal.addPruning({ restored: back });
        await journal.flush('strict');
      }
    }
    return back;
  }

  /** How much is in the cold tier. */
  get totals(): { readonly nodes: number; readonly bytes: number } {
    const { tree } = this.parts;
    let nodes = 0;
    let bytes = 0;
    for (let lod = 0; lod <= tree.maxLod; lod++) {
      const { withheldCount } = tree.metadata(lod);
      nodes += withheldCount;
      bytes += payloadBytes(tree, lod, withheldCount);
    }
    return { nodes, bytes };
  }

  private async stored(): Promise<NonNullable<PrunerParts['storage']>> {
    const { storage } = this.parts;
    await storage?.journal.flush('strict');
    if (storage !== null && !storage.journal.isFailing) return storage;
    throw new EngineError(
      'not-legal',
      'Detail is pruned only in sessions that are stored, and storage refuses what this one writes.',
      'Nothing was changed.',
      'Free some space, then try again.',
    );
  }

  private note(
    action: PruneEvent['action'],
    reason: PruneEvent['reason'],
    runs: readonly NodeRun[],
    measured: MeasuredLoss | null,
  ): void {
    const { tree, telemetry, standing } = this.parts;
    telemetry.emit({
      ...telemetry.base(standing().step),
      type: 'prune',
      action,
      reason,
      runs: runs.map((run) => ({ ...run, ...payloadOf(tree, run) })),
      ...(measured === null ? {} : { measured }),
    });
  }
}

/** Size and CRC-32 of what nodes hold. */
function payloadOf(tree: GistTree, run: NodeRun): { readonly bytes: number; readonly checksum: number } {
  const { lod, first, count } = run;
  const { start, end } = spanOfRun(run);
  const cells = lod === 0 ? tree.tokens(start, end) : tree.gistBits(lod as Lod, first, count);
  const bytes = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
  return { bytes: bytes.length, checksum: crc32(bytes) };
}

function unreadable({ lod, first, count }: NodeRun): EngineError {
  return new EngineError(
    'not-legal',
    `The LOD${lod} gists ${first} to ${first + count - 1} cannot be read from the cold tier.`,
    'They stay cold; everything before them is restored.',
    'Save the session as a file and open that: gists are computed again there.',
  );
}

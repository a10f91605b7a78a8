/**
 * Sums the telemetry of a headless run as it passes by: milliseconds by stage, the refocuses that a question led to,
 * and by head what it did, how often it was read, and what that was worth.
 */
import { headSpecs, STAGING_HEAD } from '../src/core/heads/head-specs.ts';
import { stagingUse } from '../src/core/heads/staging.ts';
import type { Layout } from '../src/core/context/working-context.ts';
import { layoutFromEntries } from '../src/core/trace/action-replay.ts';
import type { SettlingFrame } from '../src/core/trace/citations.ts';
import type { RunConfig } from '../src/core/trace/config.ts';
import { applyLayoutFrame } from '../src/core/trace/layout-delta.ts';
import {
  STAGES,
  type LayoutEntry,
  type Stage,
  type TelemetryEvent,
  type TelemetryEventOf,
} from '../src/core/trace/telemetry.ts';

/** What a head did in a run; figures that nobody measured are null. */
export interface HeadRow {
  readonly head: number | 'staging';
  readonly cue: string | null;
  readonly budgetTokens: number;
  readonly refocuses: number;
  /** Of its refocuses, those after which the router chose it. */
  readonly refocusesRead: number;
  readonly tokensRead: number;
  /** In the merging of those tokens, mean. */
  readonly weight: number | null;
  /** What the merged reading would lose without it, nats a token: mean of `gainN` measurements. */
  readonly gainNats: number | null;
  /** The same for a thousand slots that it had the base read. */
  readonly gainPer1000Slots: number | null;
  readonly gainN: number;
  readonly expansions: number;
  /** Of the expansions, those into what the staging context held, and those beyond it. */
  readonly stagingHits: number | null;
  readonly stagingMisses: number | null;
}

interface HeadSums {
  refocuses: number;
  refocusesRead: number;
  tokensRead: number;
  weights: number;
  gainNats: number;
  gainSlots: number;
  gainN: number;
  expansions: number;
  stagingHits: number;
  stagingMisses: number;
  budgetTokens: number;
  usedTokens: number;
}

export class Tally {
  readonly stagesMs = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  /** Share of the budget that the last refocus of any head used. */
  lastUtilisation = 0;
  /** Frames are encoded each against the one before of its own head. */
  private readonly layouts = new Map<number, readonly LayoutEntry[]>();
  private readonly settling = new Map<number, SettlingFrame[]>();
  private readonly sums = new Map<number, HeadSums>();
  /** Heads that the router chose at the end of the last question's turn. */
  private chosen: readonly number[] = [0];
  private isTurnEnd = false;
  private config: RunConfig | null = null;
  /** The staging context's newest layout; null until somebody asks for it. */
  private staged: Layout | null = null;

  accept(events: readonly TelemetryEvent[]): void {
    for (const event of events) {
      if (event.type === 'session') this.config = event.config;
      else if (event.type === 'latency') this.stagesMs[event.stage] += event.ms;
      else if (event.type === 'refocus') this.acceptRefocus(event);
      else if (event.type === 'deltaNll') this.acceptGain(event);
      else if (event.type === 'router') {
        for (const head of event.chosen) this.of(head).refocusesRead++;
        if (this.isTurnEnd) this.chosen = event.chosen;
      } else if (event.type === 'decode') {
        for (const [head, weight] of event.merged ?? [[event.head, 1] as const]) {
          const sums = this.of(head);
          sums.tokensRead++;
          sums.weights += weight;
        }
      }
    }
  }

  /** A question follows: its refocuses are those from here on. */
  askNext(): void {
    this.settling.clear();
  }

  /** The heads that the last answer was begun with; a single head has no router. */
  get answeringHeads(): readonly number[] {
    return this.chosen;
  }

  /** The refocuses of a head at the end of the last question's turn. */
  settlingOf(head: number): readonly SettlingFrame[] {
    return this.settling.get(head) ?? [];
  }

  /** As its last frame left it; empty before the first. */
  layoutOf(head: number): readonly LayoutEntry[] {
    return this.layouts.get(head) ?? [];
  }

  /** One row a head, in order; the staging context is last. */
  headRows(): readonly HeadRow[] {
    const heads = [...this.sums.keys()].sort((a, b) => a - b);
    const hasStaging = this.layouts.has(STAGING_HEAD);
    // With one head there is no router: it is always read.
    const isAlone = heads.filter((head) => head !== STAGING_HEAD).length === 1;
    const specs = this.config === null ? [] : headSpecs(this.config);
    return heads.map((head) => {
      const sums = this.of(head);
      const isStaging = head === STAGING_HEAD;
      const { refocuses, tokensRead, weights, gainNats, gainSlots, gainN, expansions, budgetTokens } = sums;
      const gain = gainN === 0 ? null : gainNats / gainN;
      return {
        head: isStaging ? 'staging' : head,
        cue: isStaging ? null : (specs[head]?.cue ?? null),
        budgetTokens,
        refocuses,
        refocusesRead: isAlone && !isStaging ? refocuses : sums.refocusesRead,
        tokensRead,
        weight: tokensRead === 0 ? null : weights / tokensRead,
        gainNats: gain,
        gainPer1000Slots: gain === null ? null : (1000 * gain * gainN) / gainSlots,
        gainN,
        expansions,
        stagingHits: hasStaging && !isStaging ? sums.stagingHits : null,
        stagingMisses: hasStaging && !isStaging ? sums.stagingMisses : null,
      };
    });
  }

  private acceptRefocus(event: TelemetryEventOf<'refocus'>): void {
    const { head, actions } = event;
    const layout = applyLayoutFrame(this.layoutOf(head), event.layout);
    this.layouts.set(head, layout);
    if (head === STAGING_HEAD) this.staged = null;
    const sums = this.of(head);
    sums.refocuses++;
    sums.budgetTokens = event.budgetTokens;
    sums.usedTokens = event.usedTokens;
    sums.expansions += actions.filter(({ applied, kind }) => applied && kind === 'expand').length;
    if (head !== STAGING_HEAD) {
      this.lastUtilisation = event.utilisation;
      this.countStaging(sums, event);
    }
    this.isTurnEnd = event.trigger === 'turn-end';
    if (this.isTurnEnd) {
      this.settling.set(head, [...this.settlingOf(head), { ...event, layout }]);
    }
  }

  /** Staging is refocused before the heads of its step. */
  private countStaging(sums: HeadSums, { actions }: TelemetryEventOf<'refocus'>): void {
    const held = this.layouts.get(STAGING_HEAD);
    if (held === undefined || !actions.some(({ kind }) => kind === 'expand')) return;
    this.staged ??= layoutFromEntries(held);
    const { hits, misses } = stagingUse({ layout: this.staged }, actions);
    sums.stagingHits += hits;
    sums.stagingMisses += misses;
  }

  private acceptGain({ head, merged }: TelemetryEventOf<'deltaNll'>): void {
    if (merged === undefined) return;
    const sums = this.of(head);
    sums.gainN++;
    sums.gainNats += merged.withoutNll - merged.nll;
    sums.gainSlots += sums.usedTokens;
  }

  private of(head: number): HeadSums {
    const known = this.sums.get(head) ?? {
      refocuses: 0,
      refocusesRead: 0,
      tokensRead: 0,
      weights: 0,
      gainNats: 0,
      gainSlots: 0,
      gainN: 0,
      expansions: 0,
      stagingHits: 0,
      stagingMisses: 0,
      budgetTokens: 0,
      usedTokens: 0,
    };
    this.sums.set(head, known);
    return known;
  }
}

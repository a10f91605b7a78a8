/**
 * Follows a session's events, and says now and then where it stands: as the events that a replay of all of them would
 * end with, and the pages of nodes that changed.
 */
import type { SealedSegments } from '../../../core/lexical/postings.ts';
import { keyframe, toLayoutEntries } from '../../../core/trace/layout-delta.ts';
import { allocatorRecord } from '../../../core/trace/refocus-recorder.ts';
import type { TelemetryEvent, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { NodeColumns } from '../../../core/tree/node-columns.ts';
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import type { SessionBatch } from '../../../storage/ports.ts';
import type { HeadState } from '../head/head.ts';
import type { FocusState } from '../head/multi-head-focus.ts';

/** What is replayed at most when a session is opened, about. */
const EVENTS_BETWEEN = 1024;
/** What is indexed anew at most, where refocuses are rare. */
const TOKENS_BETWEEN = 1 << 16;

/** What storage keeps beside a session's own content to open it sooner. */
export type Standing = Pick<Required<SessionBatch>, 'checkpoint'> & Pick<SessionBatch, 'index'>;

export interface StoredStanding {
  /** Events that storage holds, and those that were loaded of them. */
  readonly eventCount: number;
  readonly events: readonly TelemetryEvent[];
  /** How many events came after the stored checkpoint; Infinity where there is none. */
  readonly sinceCheckpoint: number;
  /** The tree's columns as the checkpoint has them; null where there is none. */
  readonly columns: readonly NodeColumns[] | null;
}

export class CheckpointKeeper {
  private session: TelemetryEventOf<'session'> | null = null;
  private router: TelemetryEventOf<'router'> | null = null;
  private staging: TelemetryEventOf<'staging'> | null = null;
  private readonly frames = new Map<number, TelemetryEventOf<'refocus'>>();
  private readonly hidden = new Map<string, TelemetryEventOf<'hide'>>();
  private columns: readonly NodeColumns[] | null;
  private eventCount: number;
  private since: number;
  private sinceToken: number;

  /** @param stored - where the session goes on; null for a new one. */
  constructor(
    private readonly tree: GistTree,
    private readonly sealIndex: () => SealedSegments | null,
    stored: StoredStanding | null,
  ) {
    this.columns = stored?.columns ?? null;
    for (const event of stored?.events ?? []) this.remember(event);
    this.eventCount = stored?.eventCount ?? 0;
    this.since = stored?.sinceCheckpoint ?? 0;
    this.sinceToken = tree.tokenCount;
  }

  /** These events follow those before. */
  observe(events: readonly TelemetryEvent[]): void {
    for (const event of events) this.remember(event);
    this.eventCount += events.length;
    this.since += events.length;
  }

  get isDue(): boolean {
    return this.since >= EVENTS_BETWEEN || this.tree.tokenCount - this.sinceToken >= TOKENS_BETWEEN;
  }

  /** Where the session stands. To be asked for between two steps, when every event of the last one was observed. */
  take({ heads, staging }: Pick<FocusState, 'heads' | 'staging'>): Standing {
    const { tree } = this;
    const states: (readonly [head: number, state: HeadState])[] = [...heads.entries()];
    if (staging !== undefined) states.push([STAGING_HEAD, staging]);
    const frames = states.flatMap(([head, state]) => {
      const last = this.frames.get(head);
      return last === undefined ? [] : [wholeFrame(last, state)];
    });
    const pages = Array.from({ length: tree.maxLod + 1 }, (_, lod) =>
      tree
        .metadata(lod)
        .changedPages(this.columns?.[lod] ?? null)
        .map((page) => ({ lod, ...page })),
    ).flat();
    this.columns = tree.forkColumns();
    this.since = 0;
    this.sinceToken = tree.tokenCount;
    const index = this.sealIndex();
    return {
      checkpoint: {
        eventCount: this.eventCount,
        tokenCount: tree.tokenCount,
        nodeCounts: this.columns.map(({ length }) => length),
        events: [
          ...(this.session === null ? [] : [this.session]),
          ...[...this.hidden.values()].filter(({ hidden }) => hidden),
          ...frames,
          ...(this.router === null ? [] : [this.router]),
          ...(staging === undefined || this.staging === null ? [] : [this.staging]),
        ],
        carried: [...heads.entries()].flatMap(([head, { scores }]) =>
          scores === undefined ? [] : [[head, [...scores]] as const],
        ),
        pages,
      },
      ...(index !== null && { index }),
    };
  }

  private remember(event: TelemetryEvent): void {
    if (event.type === 'session') this.session = event;
    else if (event.type === 'router') this.router = event;
    else if (event.type === 'staging') this.staging = event;
    else if (event.type === 'refocus') this.frames.set(event.head, event);
    else if (event.type === 'hide') this.hidden.set(event.documentId, event);
  }
}

/** A later standing in place of one that could not be stored. */
export function laterStanding(before: Standing | undefined, later: Standing): Standing {
  if (before === undefined) return later;
  const isNew = (page: { lod: number; first: number }): boolean =>
    later.checkpoint.pages.some(({ lod, first }) => lod === page.lod && first === page.first);
  const pages = [...before.checkpoint.pages.filter((page) => !isNew(page)), ...later.checkpoint.pages];
  const index = laterIndex(before.index, later.index);
  return { checkpoint: { ...later.checkpoint, pages }, ...(index !== undefined && { index }) };
}

function laterIndex(before?: SealedSegments, later?: SealedSegments): SealedSegments | undefined {
  if (before === undefined || later === undefined) return later ?? before;
  const kept = before.segments.filter(({ firstToken }) => firstToken < later.firstToken);
  const firstToken = Math.min(before.firstToken, later.firstToken);
  return { firstToken, segments: [...kept, ...later.segments] };
}

/** The last frame of a head with all that it stands on: the layout whole, and what its allocator carries on. */
function wholeFrame(
  last: TelemetryEventOf<'refocus'>,
  { layout, allocator: state }: HeadState,
): TelemetryEventOf<'refocus'> {
  const { thresholds } = state;
  return {
    ...last,
    cursor: layout.cursor,
    entryCount: layout.entries.length,
    usedTokens: layout.usedTokens,
    layout: keyframe(toLayoutEntries(layout.entries)),
    scores: [],
    actions: [],
    allocator: allocatorRecord({ state, layout }),
    ...(thresholds !== undefined && { thresholds }),
  };
}

/**
 * Mounts the timeline alone on a synthetic run of any length, for the benchmark that pans and zooms it, and the
 * explorer over a tree of as many tokens, whose cells are summed on this very thread.
 */
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { K } from '../../src/core/tree/ids.ts';
import { keyframe, layoutDelta } from '../../src/core/trace/layout-delta.ts';
import { Rng } from '../../src/base/rng.ts';
import type { ActionRecord, LayoutEntry, TelemetryEventOf } from '../../src/core/trace/telemetry.ts';
import { GistTree } from '../../src/core/tree/gist-tree.ts';
import type { Command, SessionState } from '../../src/runtime/engine/protocol/protocol.ts';
import { treeCells } from '../../src/runtime/session/queries/tree-cells.ts';
import { PageProviders } from '../../src/ui/app/page-providers.tsx';
import { PageTimeline } from '../../src/ui/app/page-timeline.tsx';
import { type Page, createPage } from '../../src/ui/app/page.ts';
import type { EnginePort } from '../../src/ui/model/engine-link.ts';
import type { Run } from '../../src/ui/model/run.ts';
import '../../src/ui/styles/index.css';

const RECENT_BLOCKS = 8;
const EVENTS_PER_BATCH = 2000;

/** A working context over `cursor` tokens: LOD3, LOD2 and LOD1 as far as they tile, recent blocks raw. */
function layoutAt(cursor: number, opened: ReadonlySet<number>): LayoutEntry[] {
  const entries: LayoutEntry[] = [];
  const recent = Math.max(0, cursor - RECENT_BLOCKS * K);
  let at = 0;
  for (const lod of [3, 2, 1]) {
    const size = K ** lod;
    const until = lod === 1 ? recent : recent - 4 * size;
    for (; at + size <= until; at += size) {
      if (lod !== 2 || !opened.has(at)) entries.push([lod, at, at + size]);
      else for (let child = at; child < at + size; child += K) entries.push([1, child, child + K]);
    }
  }
  for (; at < cursor; at += K) entries.push([0, at, Math.min(at + K, cursor)]);
  return entries;
}

/** Two moves a step, as a busy allocator makes them. */
function actionsAt(layout: readonly LayoutEntry[], rng: Rng): ActionRecord[] {
  return (['expand', 'collapse'] as const).map((kind, rank) => {
    const [, start] = layout[Math.floor(rng.nextFloat() * layout.length)]!;
    const first = start - (start % K);
    const [lod, toLod] = kind === 'expand' ? [1, 0] : [0, 1];
    const facts = {
      score: rng.nextFloat(),
      rank,
      costDelta: 31,
      reason: 'score-above-tau',
      pass: 0,
    } as const;
    return { ...facts, kind, lod, toLod, start: first, end: first + K, applied: true };
  });
}

/** A tree of that many tokens, each hundredth block read now and then. */
function treeOf(tokens: number): GistTree {
  const tree = new GistTree({ hiddenSize: 4 });
  tree.appendTokens(new Uint32Array(tokens), {
    documentId: 'bench',
    title: 'Bench',
    role: 'document',
    wallClockMs: 0,
  });
  for (let work = tree.nextGistWork(4096); work; work = tree.nextGistWork(4096)) {
    tree.setGists(work.lod, work.firstIndex, new Uint16Array(work.count * tree.hiddenSize));
  }
  const { accessCount, lastAccessStep } = tree.metadata(0);
  for (let block = 0; block < tree.closedBlockCount; block += 100) {
    accessCount.set(block, block % 70);
    lastAccessStep.set(block, block);
  }
  return tree;
}

/** A page without an engine but for the cells of a tree, once one is planted. */
function createTreePage(): { readonly page: Page; readonly plant: (tokens: number) => void } {
  let tree: GistTree | null = null;
  const page = createPage({
    call: (command: Command) =>
      command.kind === 'treeCells' && tree
        ? Promise.resolve(treeCells(tree, 0, command))
        : Promise.reject(new Error(`There is no engine to answer ${command.kind}.`)),
    onNotice: () => () => undefined,
    dispose: () => undefined,
  } as unknown as EnginePort);
  const plant = (tokens: number) => {
    tree = treeOf(tokens);
    const session = { record: { id: 'bench' }, cursor: tokens, marks: [], config: {} };
    page.model.mirror.setState({ session: session as unknown as SessionState });
  };
  return { page, plant };
}

/** Fill a run with `steps` refocuses that end at `tokens` tokens. */
async function fill(run: Run, steps: number, tokens: number): Promise<void> {
  const rng = new Rng(1);
  const opened = new Set<number>();
  let before: LayoutEntry[] = [];
  let batch: TelemetryEventOf<'refocus'>[] = [];
  for (let i = 0; i < steps; i++) {
    const cursor = Math.max(1, Math.floor(((i + 1) * tokens) / steps));
    if (i % 4 === 0) {
      const far = Math.max(0, cursor - Math.floor(rng.nextFloat() * 40 * K ** 2));
      opened.add(Math.floor(far / K ** 2) * K ** 2);
      if (opened.size > 12) opened.delete(opened.values().next().value!);
    }
    const layout = layoutAt(cursor, opened);
    batch.push({
      type: 'refocus',
      head: 0,
      step: i + 1,
      timeMs: i,
      cursor,
      policy: 'random',
      windowStart: 0,
      usedTokens: layout.length,
      budgetTokens: 1024,
      entryCount: layout.length,
      layout: i === 0 ? keyframe(layout) : layoutDelta(before, layout),
      scores: layout.map(() => rng.nextFloat() * 2 - 1),
      actions: actionsAt(layout, rng),
      swapRate: rng.nextFloat() * 0.3,
      utilisation: 0.8 + rng.nextFloat() * 0.2,
      meanResidency: 4,
      coherence: null,
      trigger: 'block',
    });
    before = layout;
    if (batch.length < EVENTS_PER_BATCH && i < steps - 1) continue;
    run.append(batch);
    batch = [];
    await new Promise((resolve) => setTimeout(resolve));
  }
}

interface FrameTimes {
  /** Between two animation frames. */
  readonly intervalsMs: readonly number[];
  /** From an animation frame's start until the main thread is free again: the page's own work. */
  readonly workMs: readonly number[];
}

/** Run a command before each of `frames` animation frames. */
async function drive(page: Page, ids: readonly string[], frames: number): Promise<FrameTimes> {
  const intervalsMs: number[] = [];
  const workMs: number[] = [];
  let last = await animationFrame();
  for (let i = 0; i < frames; i++) {
    page.commands.run(ids[i % ids.length]!);
    const now = await animationFrame();
    intervalsMs.push(now - last);
    last = now;
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        resolve();
      };
      port2.postMessage(null);
    });
    workMs.push(performance.now() - now);
  }
  return { intervalsMs, workMs };
}

/** The time at which the frame began. */
function animationFrame(): Promise<number> {
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
  });
}

interface TimelinePage {
  readonly fill: (steps: number, tokens: number) => Promise<void>;
  readonly plant: (tokens: number) => void;
  readonly command: (id: string) => void;
  readonly drive: (ids: readonly string[], frames: number) => Promise<FrameTimes>;
  readonly seekTo: (index: number) => void;
  readonly facts: () => { readonly frames: number; readonly tokens: number };
}

declare global {
  interface Window {
    timelinePage?: TimelinePage;
  }
}

export function mountTimeline(): void {
  const { page, plant } = createTreePage();
  const { mirror, shown, view } = page.model;
  mirror.setState({ phase: 'ready' });
  const root = document.createElement('div');
  root.className = 'app app-wide';
  document.body.append(root);
  const timeline = createElement('main', { className: 'main' }, createElement(PageTimeline));
  createRoot(root).render(createElement(PageProviders, { page, children: timeline }));
  window.timelinePage = {
    fill: (steps, tokens) => fill(shown.live, steps, tokens),
    plant,
    command: (id) => {
      page.commands.run(id);
    },
    drive: (ids, frames) => drive(page, ids, frames),
    seekTo: (index) => {
      view.seekTo(index);
    },
    facts: () => ({ frames: shown.run.frameCount, tokens: shown.run.cursor }),
  };
}

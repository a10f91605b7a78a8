/** What a user can do in the comparison: choose runs, move the playhead, zoom. Keys are those of the timeline. */
import { reportError } from '../../model/problem-store.ts';
import { refreshSessions } from '../../model/session-actions.ts';
import { useRecording } from '../share/recording-store.ts';
import { useSession } from '../../model/session-store.ts';
import { BASE_FRAMES_PER_SECOND, SPEEDS, advanced } from '../../model/playback-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { clampSteps, revealStep, zoomSteps } from '../timeline/step-axis.ts';
import { panTokens, zoomTokens } from '../timeline/token-axis.ts';
import { type RunChoice, SIDES, type Side, useCompare } from './compare-store.ts';
import { type ComparedSource, loadFile, loadSource, runChoices, sessionChoice } from './compared-source.ts';
import {
  comparedHeight,
  comparedTokens,
  fitCompared,
  forgetSources,
  frameOf,
  hasFrame,
  showSources,
} from './comparison.ts';

const ZOOM = 1.35;
let loaded: Partial<Record<Side, ComparedSource>> = {};
let loading: AbortController | null = null;

/** Open the comparison with what was compared last, else with the shown run and, if there is one, a recording. */
export function openCompare(): void {
  useShell.setState({ dialog: 'compare' });
  if (useSession.getState().boot !== null) void refreshSessions();
  const choices = runChoices();
  const find = (wanted: RunChoice | null) => choices.find(({ id }) => id === wanted?.id) ?? null;
  const { a, b } = useCompare.getState();
  const first = find(a) ?? choices.find(({ id }) => id === 'live') ?? null;
  const shown = useRecording.getState().recording && choices.find(({ id }) => id === 'recording');
  void choosePair(first, find(b) ?? shown ?? null);
}

/** Compare two sessions, as a branch and its original. */
export function compareSessions(originalId: string, otherId: string): void {
  useShell.setState({ dialog: 'compare' });
  void choosePair(sessionChoice(originalId), sessionChoice(otherId));
}

export function closeCompare(): void {
  loading?.abort();
  forgetSources();
  loaded = {};
  useCompare.setState({ playing: false, loading: null });
  useShell.setState({ dialog: null });
}

async function choosePair(a: RunChoice | null, b: RunChoice | null): Promise<void> {
  loaded = {};
  useCompare.setState({ a: null, b: null, count: 0, place: 0 });
  showSources({});
  if (a) await chooseRun('a', a);
  if (b) await chooseRun('b', b);
}

/** Put a run on one side. */
export async function chooseRun(side: Side, choice: RunChoice): Promise<void> {
  await load(side, choice.title, async (signal) => ({ choice, source: await loadSource(choice, signal) }));
}

/** Put a trace file on one side. */
export async function chooseFile(side: Side, file: File): Promise<void> {
  await load(side, file.name, async (signal) => {
    const { choice, fault } = await loadFile(file, signal);
    if (fault !== null) reportError(`${file.name} could not be read to its end`, fault);
    return { choice, source: await loadSource(choice, signal) };
  });
}

async function load(
  side: Side,
  title: string,
  read: (signal: AbortSignal) => Promise<{ readonly choice: RunChoice; readonly source: ComparedSource }>,
): Promise<void> {
  loading?.abort();
  const controller = new AbortController();
  loading = controller;
  useCompare.setState({ loading: side, playing: false });
  try {
    const { choice, source } = await read(controller.signal);
    if (controller.signal.aborted) return;
    loaded = { ...loaded, [side]: source };
    useCompare.setState({ [side]: choice });
    showSources(loaded);
  } catch (error) {
    if (!controller.signal.aborted) reportError(`${title} cannot be compared`, error);
  } finally {
    if (loading === controller) useCompare.setState({ loading: null });
  }
}

/** Trade the sides. */
export function swapSides(): void {
  const { a, b, place } = useCompare.getState();
  loaded = { ...(loaded.b && { a: loaded.b }), ...(loaded.a && { b: loaded.a }) };
  useCompare.setState({ a: b, b: a });
  showSources(loaded);
  seekCompared(place);
}

/** Move the playhead and keep it in view. */
export function seekCompared(place: number): void {
  movePlayhead(place);
  useCompare.setState({ playing: false });
}

function movePlayhead(place: number): void {
  const { count, steps } = useCompare.getState();
  if (count === 0) return;
  const at = Math.min(Math.max(place, 0), count - 1);
  useCompare.setState({ place: at, steps: revealStep(steps, at, count, comparedHeight()) });
}

function seekBy(places: number): void {
  seekCompared(useCompare.getState().place + places);
}

/** The nearest place at which either run took an action. */
function seekAction(direction: 1 | -1): void {
  const { place, count } = useCompare.getState();
  for (let at = place + direction; at >= 0 && at < count; at += direction) {
    const acts = SIDES.some(
      (side) => hasFrame(side, at) && frameOf(side, at)!.actions.some(({ applied }) => applied),
    );
    if (!acts) continue;
    seekCompared(at);
    return;
  }
}

export function togglePlayingCompared(): void {
  const { playing, place, count } = useCompare.getState();
  if (count === 0) return;
  if (!playing && place >= count - 1) movePlayhead(0);
  useCompare.setState({ playing: !playing });
}

function changeSpeed(by: 1 | -1): void {
  const { speed } = useCompare.getState();
  const at = SPEEDS.indexOf(speed as (typeof SPEEDS)[number]) + by;
  useCompare.setState({ speed: SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)]! });
}

export function zoomComparedTokens(factor: number, anchor: number | null = null): void {
  const { tokens } = useCompare.getState();
  const at = anchor ?? (tokens.start + tokens.end) / 2;
  useCompare.setState({ tokens: zoomTokens(tokens, factor, at, comparedTokens()) });
}

function panComparedTokens(fraction: number): void {
  const { tokens } = useCompare.getState();
  const by = (tokens.end - tokens.start) * fraction;
  useCompare.setState({ tokens: panTokens(tokens, by, comparedTokens()) });
}

function zoomComparedSteps(factor: number): void {
  const { steps, count, place } = useCompare.getState();
  const height = comparedHeight();
  const anchorY = (place + 0.5 - steps.top) * steps.rowHeight;
  const zoomed = zoomSteps(steps, factor, Math.min(Math.max(anchorY, 0), height), count, height);
  useCompare.setState({ steps: clampSteps(zoomed, count, height) });
}

/** What the timeline's commands do while the comparison is open, by their ids. */
export const COMPARE_COMMANDS: Readonly<Partial<Record<string, () => void>>> = {
  play: togglePlayingCompared,
  back: () => {
    seekBy(-1);
  },
  forward: () => {
    seekBy(1);
  },
  'back-fast': () => {
    seekBy(-10);
  },
  'forward-fast': () => {
    seekBy(10);
  },
  first: () => {
    seekCompared(0);
  },
  live: () => {
    seekCompared(useCompare.getState().count - 1);
  },
  'previous-action': () => {
    seekAction(-1);
  },
  'next-action': () => {
    seekAction(1);
  },
  slower: () => {
    changeSpeed(-1);
  },
  faster: () => {
    changeSpeed(1);
  },
  'zoom-in': () => {
    zoomComparedTokens(1 / ZOOM);
  },
  'zoom-out': () => {
    zoomComparedTokens(ZOOM);
  },
  'pan-left': () => {
    panComparedTokens(-0.15);
  },
  'pan-right': () => {
    panComparedTokens(0.15);
  },
  'rows-higher': () => {
    zoomComparedSteps(ZOOM);
  },
  'rows-lower': () => {
    zoomComparedSteps(1 / ZOOM);
  },
  fit: fitCompared,
};

/** Moves the comparison's playhead while it plays. @returns a function that stops the clock. */
export function startCompareClock(): () => void {
  let pending = 0;
  let lastMs = 0;
  let carried = 0;
  const tick = (nowMs: number) => {
    const { playing, speed, place, count } = useCompare.getState();
    pending = 0;
    if (!playing) return;
    carried += (Math.max(0, nowMs - lastMs) / 1000) * BASE_FRAMES_PER_SECOND * speed;
    lastMs = Math.max(lastMs, nowMs);
    const whole = Math.floor(carried);
    carried -= whole;
    const next = advanced({ index: place, count, range: null, looping: false }, whole);
    if (next === null) seekCompared(count - 1);
    else {
      if (next !== place) movePlayhead(next);
      pending = requestAnimationFrame(tick);
    }
  };
  const stop = useCompare.subscribe(({ playing }, before) => {
    if (!playing || before.playing || pending) return;
    carried = 0;
    lastMs = performance.now();
    pending = requestAnimationFrame(tick);
  });
  return () => {
    stop();
    cancelAnimationFrame(pending);
  };
}

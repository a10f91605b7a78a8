/** From the page to a link and back: what the stores say as a link, and a link's view put into the stores. */
import type { SessionRecord } from '../../../runtime/engine/protocol/protocol.ts';
import {
  DEFAULT_RUN_CONFIG,
  type RunConfig,
  changedIds,
  changesBetween,
} from '../../../core/trace/config.ts';
import { showSteps, visibleSteps } from '../../commands/view-actions.ts';
import { type Preset, presetsFor } from '../presets/presets.ts';
import { currentRun } from '../../model/current-run.ts';
import { EXAMPLE_ID } from '../../model/example.ts';
import { seek, usePlayback } from '../../model/playback-store.ts';
import { report } from '../../model/problem-store.ts';
import { useExample } from './example-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { useTracks } from '../timeline/tracks-store.ts';
import { useView } from '../../model/view-store.ts';
import { clampTokens } from '../timeline/token-axis.ts';
import { INITIAL_ARRANGEMENT } from '../timeline/tracks.ts';
import { formatCount } from '../../words/format.ts';
import { type LinkProblem, type LinkState, changedTracks, decodeLink } from './link-state.ts';

const PRESETS = presetsFor(DEFAULT_RUN_CONFIG);

/** What the page shows now, as a link says it. */
export function linkOfPage(): LinkState {
  const { boot, session, provenance } = useSession.getState();
  const { tokens, autoTokens, autoSteps, colourBy, selection, tableOpen } = useView.getState();
  const { index, following } = usePlayback.getState();
  const example = exampleOf(session?.record.title, provenance[0]?.title);
  const frame = following ? undefined : currentRun.frameAt(index);
  const tracks = changedTracks(useTracks.getState().arrangement);
  const parameters = boot && session ? changesBetween(boot.defaults, session.config) : {};
  return {
    ...(boot && { model: boot.model.id }),
    ...(session && { session: session.record.id }),
    ...(example !== undefined && { example }),
    ...(frame && { step: frame.step }),
    ...(!autoTokens && { tokens: [tokens.start, tokens.end] as const }),
    ...(!(following && autoSteps) && currentRun.frameCount > 0 && { rows: visibleSteps() }),
    ...(selection && { block: selection }),
    ...(colourBy === 'score' && { colour: 'score' as const }),
    ...(tableOpen && { table: true as const }),
    ...(tracks && { tracks }),
    ...(Object.keys(parameters).length > 0 && { parameters }),
  };
}

/** The example or preset that a session was made from; undefined for a text of the user's own. */
function exampleOf(sessionTitle: string | undefined, firstDocument: string | undefined): string | undefined {
  const { example } = useExample.getState();
  if (!example || firstDocument !== example.title) return undefined;
  if (sessionTitle === example.title) return EXAMPLE_ID;
  return PRESETS.find(({ title }) => title === sessionTitle)?.id;
}

/** The link in the address bar; null without one. What is wrong with it is told, the rest holds. */
export function readAddress(): LinkState | null {
  const reading = decodeLink(location.hash);
  if (reading === null) return null;
  const problems = [...reading.problems];
  const { example } = reading.state;
  if (example !== undefined && example !== EXAMPLE_ID && !PRESETS.some(({ id }) => id === example)) {
    problems.push({ field: 'example', value: example, message: 'this page has no such example' });
  }
  tellProblems(problems);
  return reading.state;
}

function tellProblems(problems: readonly LinkProblem[]): void {
  if (problems.length === 0) return;
  const words = problems.map(({ field, value, message }) => `${field} = “${value}”: ${message}.`);
  const isWhole = problems.some(({ field }) => field === 'v' || field === 'link');
  report({
    title:
      problems.length === 1
        ? 'A part of the link was not used'
        : `${problems.length} parts of the link were not used`,
    message: words.join(' '),
    kept: isWhole ? 'The page opened as without a link.' : 'Everything else in the link was applied.',
    tryNext: 'Ask for a new link, or correct these fields in the address bar.',
    tone: 'error',
  });
}

/** Which session a link opens: its own where this browser has it, else one made from the same example. */
export type LinkTarget =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'preset'; readonly id: Preset['id'] }
  | { readonly kind: 'example'; readonly isSubstitute: boolean };

export function targetOf(
  link: LinkState,
  sessions: readonly SessionRecord[],
  example: { readonly title: string; readonly config: RunConfig },
): LinkTarget {
  const own = sessions.find(({ id }) => id === link.session);
  if (own) return { kind: 'session', id: own.id };
  const preset = PRESETS.find(({ id }) => id === link.example);
  if (preset) return { kind: 'preset', id: preset.id };
  const isSubstitute = link.session !== undefined && link.example === undefined;
  const same = sessions.find(
    ({ title, config }) => title === example.title && changedIds(config, example.config).length === 0,
  );
  return same && !isSubstitute ? { kind: 'session', id: same.id } : { kind: 'example', isSubstitute };
}

/** Put a link's view into the stores once the run has come that far, or has ended before. */
export function applyView(link: LinkState): void {
  stopWaiting();
  useView.setState({ colourBy: link.colour ?? 'lod', tableOpen: link.table ?? false });
  // Shown, not remembered: the reader's own arrangement comes back with the next visit without a link.
  if (link.tracks !== 'own')
    useTracks.setState({ arrangement: link.tracks ?? INITIAL_ARRANGEMENT, scrolled: 0 });
  if (link.step === undefined && !link.tokens && !link.rows && !link.block) return;
  if (isReached(link)) {
    showPlace(link);
    return;
  }
  const stops = [
    currentRun.subscribe(() => {
      if (isReached(link)) arrive();
    }),
    useSession.subscribe(({ phase, session, running }) => {
      const isIdle = session?.activity === 'idle' && session.pendingTokens === 0 && !running;
      if (phase === 'ready' && isIdle && currentRun.frameCount > 0) arrive();
    }),
    usePlayback.subscribe(({ following }) => {
      // The reader took the playhead: the link must not pull it away later.
      if (!following) stopWaiting();
    }),
  ];
  const arrive = () => {
    stopWaiting();
    showPlace(link);
  };
  waiting = () => {
    for (const stop of stops) stop();
  };
}

let waiting: (() => void) | null = null;

/** True while a link's place in the run has not been reached yet. */
export function isWaiting(): boolean {
  return waiting !== null;
}

function stopWaiting(): void {
  waiting?.();
  waiting = null;
}

function isReached({ step = 0, tokens, block }: LinkState): boolean {
  const last = currentRun.frameAt(currentRun.frameCount - 1);
  if (!last) return false;
  return last.step >= step && last.cursor >= Math.max(Math.floor(tokens?.[1] ?? 0), block?.end ?? 0);
}

function showPlace({ step, tokens, rows, block }: LinkState): void {
  if (block) {
    useView.setState({ selection: block });
    useShell.setState({ rightTab: 'inspector', rightOpen: true });
  }
  if (tokens) {
    const window = clampTokens({ start: tokens[0], end: tokens[1] }, currentRun.cursor);
    useView.setState({ tokens: window, autoTokens: false });
  }
  if (step !== undefined) seek(currentRun.indexOfStep(step));
  if (rows) showSteps(rows[0], rows[1]);
  const last = currentRun.frameAt(currentRun.frameCount - 1)?.step ?? 0;
  if (step !== undefined && step > last) {
    report({
      title: 'The link points beyond the end of this run',
      message: `step = “${step}”: this run ends at step ${formatCount(last)}.`,
      kept: 'The last step is shown, with the rest of the link.',
      tryNext: 'Ask for the trace as a file: it holds what came later, answers included.',
      tone: 'error',
    });
  }
}

/** From the page to a link and back: what is shown as a link says it, and a link's view put into the page's. */
import { isOfChat } from '../../../core/tree/provenance.ts';
import type { SessionRecord } from '../../../runtime/engine/protocol/protocol.ts';
import {
  DEFAULT_RUN_CONFIG,
  type RunConfig,
  changedIds,
  changesBetween,
} from '../../../core/trace/config.ts';
import { EXAMPLE_ID } from '../../model/example.ts';
import type { Model } from '../../model/model.ts';
import { type Preset, presetsFor } from '../../model/presets.ts';
import { formatCount } from '../../words/format.ts';
import { type LinkProblem, type LinkState, changedTracks, decodeLink } from './link-state.ts';

const PRESETS = presetsFor(DEFAULT_RUN_CONFIG);

/** Whether a link can name this: the shipped example, or a preset told from it. */
export function isExample(name: string): boolean {
  return name === EXAMPLE_ID || PRESETS.some(({ id }) => id === name);
}

export class PageLink {
  readonly #model: Model;
  #stopWaiting: (() => void) | null = null;

  constructor(model: Model) {
    this.#model = model;
  }

  /** True while a link's place in the run has not been reached yet. */
  get isWaiting(): boolean {
    return this.#stopWaiting !== null;
  }

  /** What the page shows now, as a link says it. */
  read(): LinkState {
    const { mirror, view } = this.#model;
    const { run, viewport, tracks } = view;
    const { boot, session, provenance } = mirror.getState();
    const { tokens, autoTokens, autoSteps, colourBy, selection, tableOpen } = viewport.state;
    const { index, following } = view.playhead.state;
    const read = provenance.find(({ documentId }) => !isOfChat(documentId));
    const example = this.#exampleOf(session?.record.title, read?.title);
    const frame = following ? undefined : run.frameAt(index);
    const arrangement = changedTracks(tracks.state.arrangement, tracks.initial);
    const parameters = boot && session ? changesBetween(boot.defaults, session.config) : {};
    return {
      ...(boot && { model: boot.model.id }),
      ...(session && { session: session.record.id }),
      ...(example !== undefined && { example }),
      ...(frame && { step: frame.step }),
      ...(!autoTokens && { tokens: [tokens.start, tokens.end] as const }),
      ...(!(following && autoSteps) && run.frameCount > 0 && { rows: viewport.visibleSteps() }),
      ...(selection && { block: selection }),
      ...(colourBy === 'score' && { colour: 'score' as const }),
      ...(tableOpen && { table: true as const }),
      ...(arrangement && { tracks: arrangement }),
      ...(Object.keys(parameters).length > 0 && { parameters }),
    };
  }

  /** The link in the address bar; null without one. What is wrong with it is told, the rest holds. */
  readAddress(): LinkState | null {
    const reading = decodeLink(location.hash, this.#model.view.tracks.initial);
    if (reading === null) return null;
    const problems = [...reading.problems];
    const { example } = reading.state;
    if (example !== undefined && !isExample(example)) {
      problems.push({ field: 'example', value: example, message: 'this page has no such example' });
    }
    this.#tellProblems(problems);
    return reading.state;
  }

  /** Show a link's view once the run has come that far, or has ended before. */
  show(link: LinkState): void {
    const { mirror, view } = this.#model;
    const { source, playhead, viewport, tracks } = view;
    this.#giveUp();
    const model = mirror.getState().boot?.model.id;
    if (link.model !== undefined && model !== undefined && link.model !== model) {
      const message = `this page runs the model ${model}, and shows the link with it`;
      this.#tellProblems([{ field: 'model', value: link.model, message }]);
    }
    viewport.set({ colourBy: link.colour ?? 'lod', tableOpen: link.table ?? false });
    if (link.tracks !== 'own') tracks.show(link.tracks ?? tracks.initial);
    if (link.step === undefined && !link.tokens && !link.rows && !link.block) return;
    if (this.#isReached(link)) {
      this.#showPlace(link);
      return;
    }
    const arrive = () => {
      this.#giveUp();
      this.#showPlace(link);
    };
    const stops = [
      source.subscribe(() => {
        if (this.#isReached(link)) arrive();
      }),
      mirror.subscribe(({ phase, session, running }) => {
        const isIdle = session?.activity === 'idle' && session.pendingTokens === 0 && !running;
        if (phase === 'ready' && isIdle && view.run.frameCount > 0) arrive();
      }),
      playhead.store.subscribe(({ following }) => {
        // The reader took the playhead: the link must not pull it away later.
        if (!following) this.#giveUp();
      }),
    ];
    this.#stopWaiting = () => {
      for (const stop of stops) stop();
    };
  }

  #giveUp(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
  }

  /** The example or preset that a session was made from; undefined for a text of the user's own. */
  #exampleOf(sessionTitle: string | undefined, firstDocument: string | undefined): string | undefined {
    const { example } = this.#model.example.getState();
    if (!example || firstDocument !== example.title) return undefined;
    if (sessionTitle === example.title) return EXAMPLE_ID;
    return PRESETS.find(({ title }) => title === sessionTitle)?.id;
  }

  #tellProblems(problems: readonly LinkProblem[]): void {
    if (problems.length === 0) return;
    const words = problems.map(({ field, value, message }) => `${field} = “${value}”: ${message}.`);
    const isWhole = problems.some(({ field }) => field === 'v' || field === 'link');
    this.#model.problems.report({
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

  #isReached({ step = 0, tokens, block }: LinkState): boolean {
    const { run } = this.#model.view;
    const last = run.frameAt(run.frameCount - 1);
    if (!last) return false;
    return last.step >= step && last.cursor >= Math.max(Math.floor(tokens?.[1] ?? 0), block?.end ?? 0);
  }

  #showPlace({ step, tokens, rows, block }: LinkState): void {
    const { view, problems } = this.#model;
    const { run, playhead, viewport } = view;
    const cursor = run.frameAt(run.frameCount - 1)?.cursor ?? 0;
    const beyond: LinkProblem[] = [];
    const name = (field: string, value: string, message: string) => beyond.push({ field, value, message });
    const read = `this run has read ${formatCount(cursor)} tokens`;
    if (block && block.end > cursor) name('block', `${block.lod}-${block.start}-${block.end}`, read);
    else if (block) view.select(block);
    if (tokens && tokens[0] >= cursor) name('tokens', tokens.join('-'), read);
    else if (tokens) viewport.showTokens({ start: tokens[0], end: tokens[1] });
    if (step !== undefined) playhead.seek(run.indexOfStep(step));
    if (rows && rows[0] >= run.frameCount)
      name('rows', rows.join('-'), `this run has ${formatCount(run.frameCount)} rows`);
    else if (rows) viewport.showSteps(rows[0], rows[1]);
    this.#tellProblems(beyond);
    const last = run.frameAt(run.frameCount - 1)?.step ?? 0;
    if (step !== undefined && step > last) {
      problems.report({
        title: 'The link points beyond the end of this run',
        message: `step = “${step}”: this run ends at step ${formatCount(last)}.`,
        kept: 'The last step is shown, with the rest of the link.',
        tryNext: 'Ask for the trace as a file: it holds what came later, answers included.',
        tone: 'error',
      });
    }
  }
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

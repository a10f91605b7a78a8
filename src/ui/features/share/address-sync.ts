/** Keeps the address bar at what the page shows, at most twice a second, and follows links opened in this tab. */
import { type RunConfig, changesBetween } from '../../../core/trace/config.ts';
import { parameterNamed } from '../../../core/parameters/parameters.ts';
import type { Model } from '../../model/model.ts';
import { canChangeSession, isOpenSession } from '../../model/session.ts';
import { encodeLink, type LinkState } from './link-state.ts';
import { type PageLink, isExample } from './page-link.ts';

const EVERY_MS = 500;

/** Opens the example or preset that a link names, as a page does that is opened with it. */
export type OpenExample = (link: LinkState) => Promise<void>;

/** Start to write the address bar and to listen to it. @returns a function that stops. */
export function startAddressSync(model: Model, pageLink: PageLink, openExample: OpenExample): () => void {
  const { mirror, view, recordings } = model;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    if (mirror.getState().phase !== 'ready' || recordings.state.recording || pageLink.isWaiting) return;
    if (view.playhead.state.playing) {
      later();
      return;
    }
    const hash = `#${encodeLink(pageLink.read())}`;
    if (hash !== location.hash) history.replaceState(history.state, '', hash);
  };
  const later = () => {
    timer ??= setTimeout(write, EVERY_MS);
  };
  const follow = () => {
    const link = pageLink.readAddress();
    if (link) void followLink(link, model, pageLink, openExample);
  };
  const stops = [mirror, view.viewport.store, view.playhead.store, view.tracks.store].map((store) =>
    store.subscribe(later),
  );
  addEventListener('hashchange', follow);
  addEventListener('pagehide', write);
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
    removeEventListener('hashchange', follow);
    removeEventListener('pagehide', write);
  };
}

/**
 * Go where an address leads that was typed into the open page, as a page that is opened with it would: to the session
 * that it names. Where that cannot be it is said, and the open session keeps its parameters.
 */
export async function followLink(
  link: LinkState,
  model: Model,
  pageLink: PageLink,
  openExample: OpenExample,
): Promise<void> {
  const { mirror, actions, recordings, problems } = model;
  const namesOtherExample =
    link.example !== undefined && isExample(link.example) && link.example !== pageLink.read().example;
  const isOpen = () => link.session === undefined || isOpenSession(mirror.getState(), link.session);
  if (!isOpen() && link.session !== undefined) {
    await actions.refreshSessions();
    const state = mirror.getState();
    const isOwn = state.sessions.some(({ id }) => id === link.session);
    if (!isOwn && link.example !== undefined && isExample(link.example) && canChangeSession(state)) {
      recordings.close();
      await openExample(link);
      return;
    }
    if (!isOwn || !canChangeSession(state)) {
      problems.report({
        title: 'The address was not followed',
        message: isOwn
          ? 'Another session is just being opened or made.'
          : `The session “${link.session}” is not in this browser: a link does not carry its text.`,
        kept: 'The open session, with its parameters.',
        tryNext: isOwn ? 'Try again in a moment.' : 'Ask for the trace as a file and open it here.',
        tone: 'error',
      });
      return;
    }
    recordings.close();
    await actions.open(link.session);
    const opened = mirror.getState().session;
    if (!isOpen() || opened === null) return;
    if (opened.pendingTokens > 0 && !opened.readOnly) await actions.run();
  } else if (link.session === undefined && namesOtherExample && canChangeSession(mirror.getState())) {
    recordings.close();
    await openExample(link);
    return;
  }
  await applyLink(link, model, pageLink);
}

/** Apply a link to the open session: its parameters, then its view. */
export async function applyLink(
  link: LinkState,
  { mirror, actions, problems }: Model,
  pageLink: PageLink,
): Promise<void> {
  const { boot, session } = mirror.getState();
  if (boot && session && !session.readOnly) {
    const changes = linkedChanges(session.config, { ...boot.defaults, ...link.parameters });
    const refused = Object.keys(changes).length === 0 ? null : await actions.setParameters(changes);
    if (refused !== null) {
      problems.reportError('The parameters of the link were not used', {
        message: refused,
        kept: 'The view was applied.',
      });
    }
  }
  pageLink.show(link);
}

/** What a link changes: it carries no text, so that the session's own texts stay. */
function linkedChanges(now: RunConfig, linked: RunConfig): Partial<RunConfig> {
  const changes = Object.entries(changesBetween(now, linked));
  return Object.fromEntries(changes.filter(([id]) => parameterNamed(id)?.kind !== 'text'));
}

/** Copy a link to what is shown; says what a link cannot carry. */
export async function copyLink({ recordings, problems }: Model, pageLink: PageLink): Promise<void> {
  if (recordings.state.recording) {
    problems.report({
      title: 'A recording does not fit into a link',
      message: 'A link names an example, parameters and a view; this run is in a file.',
      kept: 'Nothing was changed.',
      tryNext: 'Share the trace file itself; whoever gets it opens it from the session menu.',
      tone: 'info',
    });
    return;
  }
  const link = pageLink.read();
  const url = new URL(`#${encodeLink(link)}`, location.href).href;
  history.replaceState(history.state, '', url);
  const ownText =
    link.example === undefined
      ? 'It carries parameters and view, not your text: elsewhere it opens on the example. Share the trace file to show this run.'
      : 'It opens the same example with these parameters, at this step and view.';
  try {
    await navigator.clipboard.writeText(url);
    problems.report({
      title: 'Link copied',
      message: ownText,
      kept: '',
      tryNext: '',
      tone: 'info',
      isBrief: true,
    });
  } catch {
    problems.report({
      title: 'The browser did not let the link be copied',
      message: url,
      kept: 'It also stands in the address bar.',
      tryNext: 'Copy it from there.',
      tone: 'info',
    });
  }
}

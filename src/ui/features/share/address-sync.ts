/** Keeps the address bar at what the page shows, at most twice a second, and follows links opened in this tab. */
import { setParameters } from '../../model/session-actions.ts';
import { usePlayback } from '../../model/playback-store.ts';
import { report, reportError } from '../../model/problem-store.ts';
import { useRecording } from './recording-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useTracks } from '../timeline/tracks-store.ts';
import { useView } from '../../model/view-store.ts';
import { changesBetween } from '../../../core/trace/config.ts';
import { encodeLink, type LinkState } from './link-state.ts';
import { applyView, isWaiting, linkOfPage, readAddress } from './page-link.ts';

const EVERY_MS = 500;

/** Start to write the address bar and to listen to it. @returns a function that stops. */
export function startAddressSync(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    if (useSession.getState().phase !== 'ready' || useRecording.getState().recording || isWaiting()) return;
    if (usePlayback.getState().playing) {
      later();
      return;
    }
    const hash = `#${encodeLink(linkOfPage())}`;
    if (hash !== location.hash) history.replaceState(history.state, '', hash);
  };
  const later = () => {
    timer ??= setTimeout(write, EVERY_MS);
  };
  const follow = () => {
    const link = readAddress();
    if (link) void applyLink(link);
  };
  const stops = [useSession, useView, usePlayback, useTracks].map((store) => store.subscribe(later));
  addEventListener('hashchange', follow);
  addEventListener('pagehide', write);
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
    removeEventListener('hashchange', follow);
    removeEventListener('pagehide', write);
  };
}

/** Apply a link to the open session: its parameters, then its view. */
export async function applyLink(link: LinkState): Promise<void> {
  const { boot, session } = useSession.getState();
  if (boot && session && !session.readOnly) {
    const changes = changesBetween(session.config, { ...boot.defaults, ...link.parameters });
    const refused = Object.keys(changes).length === 0 ? null : await setParameters(changes);
    if (refused !== null) {
      reportError('The parameters of the link were not used', {
        message: refused,
        kept: 'The view was applied.',
      });
    }
  }
  applyView(link);
}

/** Copy a link to what is shown; says what a link cannot carry. */
export async function copyLink(): Promise<void> {
  if (useRecording.getState().recording) {
    report({
      title: 'A recording does not fit into a link',
      message: 'A link names an example, parameters and a view; this run is in a file.',
      kept: 'Nothing was changed.',
      tryNext: 'Share the trace file itself; whoever gets it opens it from the session menu.',
      tone: 'info',
    });
    return;
  }
  const link = linkOfPage();
  const url = new URL(`#${encodeLink(link)}`, location.href).href;
  history.replaceState(history.state, '', url);
  const ownText =
    link.example === undefined
      ? 'It carries parameters and view, not your text: elsewhere it opens on the example. Share the trace file to show this run.'
      : 'It opens the same example with these parameters, at this step and view.';
  try {
    await navigator.clipboard.writeText(url);
    report({ title: 'Link copied', message: ownText, kept: '', tryNext: '', tone: 'info', isBrief: true });
  } catch {
    report({
      title: 'The browser did not let the link be copied',
      message: url,
      kept: 'It also stands in the address bar.',
      tryNext: 'Copy it from there.',
      tone: 'info',
    });
  }
}

/**
 * The first minute of a first visit: the recorded example plays while the model loads, then the page hands over
 * to the live session on the same example. Never while the user is looking at something.
 */
import { closeRecording, openRecording } from '../features/share/recording.ts';
import { readAddress } from '../features/share/page-link.ts';
import { togglePlaying, usePlayback } from './playback-store.ts';
import { useFirstMinute } from '../features/share/first-minute-store.ts';
import { useRecording } from '../features/share/recording-store.ts';
import { useSession } from './session-store.ts';
import { offerTour } from '../features/tour/tour-store.ts';
import { liveRun } from './current-run.ts';
import { EXAMPLE_ID } from './example.ts';

const STORAGE_KEY = 'megacontext-playground.visited';
const TRACE_FILE = `${EXAMPLE_ID}.trace.jsonl.gz`;
/** Fast enough to see focus move within the seconds that a model loads. */
const PLAYED_SPEED = 4;
/** Live steps that make the hand-over worth it: fewer would leave the plot all but empty. */
const LIVE_STEPS = 24;

/** Play the recorded example if this is a first visit and the address names nothing else. Never throws. */
export async function playFirstMinute(): Promise<void> {
  if (!isFirstVisit()) return;
  offerTour();
  if (readAddress() !== null) return;
  let file: File;
  try {
    const response = await fetch(`./examples/${TRACE_FILE}`);
    if (!response.ok) return;
    file = new File([await response.blob()], TRACE_FILE);
  } catch {
    return;
  }
  if (useSession.getState().phase === 'ready') return;
  // Nobody asked for it: who is in the chat already stays there.
  await openRecording(file, { comesForward: false });
  if (useRecording.getState().recording?.file !== file) return;
  const { speed } = usePlayback.getState();
  useFirstMinute.setState({ playing: true, touched: false });
  usePlayback.setState({ speed: PLAYED_SPEED });
  togglePlaying();
  handOver(file, speed);
}

/** Watch until the live session has something to show, and go there unless the user took hold of the recording. */
function handOver(file: File, speed: number): void {
  const touch = () => {
    useFirstMinute.setState({ touched: true });
  };
  const events = ['pointerdown', 'keydown', 'wheel'] as const;
  const check = () => {
    const isShown = useRecording.getState().recording?.file === file;
    const isLive = useSession.getState().phase === 'ready' && liveRun().frameCount >= LIVE_STEPS;
    const { touched, playing } = useFirstMinute.getState();
    if (isShown && !(isLive && !touched)) return;
    stopAll();
    if (playing) useFirstMinute.setState({ playing: false });
    if (isShown) closeRecording();
    if (usePlayback.getState().speed === PLAYED_SPEED) usePlayback.setState({ speed });
  };
  for (const event of events) addEventListener(event, touch, { capture: true, passive: true });
  const stops = [useSession.subscribe(check), useRecording.subscribe(check), useFirstMinute.subscribe(check)];
  const stopAll = () => {
    for (const stop of stops) stop();
    for (const event of events) removeEventListener(event, touch, { capture: true });
  };
}

function isFirstVisit(): boolean {
  try {
    const visited = localStorage.getItem(STORAGE_KEY) !== null;
    localStorage.setItem(STORAGE_KEY, 'yes');
    return !visited;
  } catch {
    return false;
  }
}

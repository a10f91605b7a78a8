/** One page: its model, the features that stand on it, and what the two can do, made once for each page. */
import { Commands } from '../commands/commands.ts';
import { KeyboardLabels, type LayoutMapSource } from '../commands/keyboard-labels.ts';
import { keepCompositionKeys, listenForKeys } from '../commands/keymap.ts';
import { playbackCommands } from '../commands/playback-commands.ts';
import type { Registry } from '../commands/registry.ts';
import { viewCommands } from '../commands/view-commands.ts';
import { Branch } from '../features/branch/branch.ts';
import { Compare } from '../features/compare/compare.ts';
import { Evaluation } from '../features/evaluate/evaluation.ts';
import { Explorer } from '../features/explorer/explorer.ts';
import { Heads } from '../features/heads/heads.ts';
import { Presets } from '../features/presets/presets.ts';
import { Probes } from '../features/probes/probes.ts';
import { ProfileView } from '../features/profile/profile-view.ts';
import { registerRecords } from '../features/records/register-records.ts';
import { type OpenExample, startAddressSync } from '../features/share/address-sync.ts';
import { listenForDroppedFiles } from '../features/share/open-trace.ts';
import type { PageLink } from '../features/share/page-link.ts';
import { registerModels } from '../features/models/register-models.ts';
import { registerShare } from '../features/share/register-share.ts';
import { registerTimeline } from '../features/timeline/register-timeline.ts';
import { TourProgress } from '../features/tour/tour-progress.ts';
import { LensTraining } from '../features/training/lens-training.ts';
import type { EnginePort } from '../model/engine-link.ts';
import { type Model, createModel } from '../model/model.ts';
import { SESSIONS_CHANNEL, followSessions } from '../model/session-follow.ts';
import { watchForEviction } from '../model/kept-sessions.ts';
import { startPlayheadClock } from '../model/playhead-clock.ts';
import { compareHeadsCommand } from './compare-heads.ts';
import { headsExampleCommand } from './heads-example.ts';
import { pageCommands } from './page-commands.ts';
import { sessionCommands } from './session-commands.ts';

export interface Page {
  readonly model: Model;
  readonly commands: Commands;
  readonly keyboard: KeyboardLabels;
  readonly explorer: Explorer;
  readonly branch: Branch;
  readonly compare: Compare;
  readonly heads: Heads;
  readonly evaluation: Evaluation;
  readonly training: LensTraining;
  readonly presets: Presets;
  readonly probes: Probes;
  readonly profile: ProfileView;
  readonly tour: TourProgress;
  readonly pageLink: PageLink;
  /** Told how the timeline is divided on the screen. */
  readonly tellTimelineLayout: ReturnType<typeof registerTimeline>;
}

/** The order is that in which the palette and the help list the commands. */
export function createPage(engine: EnginePort): Page {
  const model = createModel(engine);
  const commands = new Commands();
  const registry: Registry = { model, commands, tracks: model.view.tracks, notices: model.notices };
  commands.register(...playbackCommands(model.view), ...viewCommands(model.view));
  const explorer = new Explorer(registry);
  commands.register(...sessionCommands(model));
  registerModels(registry);
  const features = {
    explorer,
    branch: new Branch(registry),
    compare: new Compare(registry),
    pageLink: registerShare(registry),
    tellTimelineLayout: registerTimeline(registry),
    heads: new Heads(registry),
    presets: new Presets(registry),
    probes: new Probes(model),
    training: new LensTraining(registry),
    evaluation: new Evaluation(registry),
    profile: new ProfileView(registry),
    tour: new TourProgress(registry),
  };
  registerRecords(registry);
  commands.register(compareHeadsCommand(model, features.compare), headsExampleCommand(model));
  commands.register(...pageCommands(model.shell));
  return { model, commands, keyboard: new KeyboardLabels(), ...features };
}

/**
 * Let the page's clock, keys, dropped files and address bar act.
 *
 * @param openExample - what an address leads to that names another example.
 * @returns a function that stops them.
 */
export function listen({ model, commands, keyboard, pageLink }: Page, openExample: OpenExample): () => void {
  void keyboard.ask(navigator as LayoutMapSource);
  const stops = [
    startPlayheadClock(model.view.playhead),
    keepCompositionKeys(globalThis),
    listenForKeys(commands, keyboard),
    listenForDroppedFiles(model),
    followSessions(
      model,
      new BroadcastChannel(SESSIONS_CHANNEL),
      (navigator as Partial<Navigator>).locks ?? null,
    ),
    watchForEviction(model),
    startAddressSync(model, pageLink, openExample),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

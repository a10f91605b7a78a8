/** Everything that one page knows, made anew for each page: no instance is shared between two. */
import { createConversation } from './conversation.ts';
import type { Conversation } from './conversation.ts';
import { EngineLink, type EnginePort, NoticeHandlers } from './engine-link.ts';
import { type ExampleStore, createExampleStore } from './example.ts';
import { FileIntake } from './file-intake.ts';
import { type FirstMinute, createFirstMinute } from './first-minute.ts';
import { ModelManager } from './model-manager.ts';
import { OwnLanguage } from './own-language.ts';
import { Playhead } from './playhead.ts';
import { Problems } from './problems.ts';
import { QuestionRecords } from './question-records.ts';
import { Recordings } from './recordings.ts';
import { RunView } from './run-view.ts';
import { SessionActions } from './session-actions.ts';
import { SessionIntake } from './session-intake.ts';
import { type SessionMirror, createSessionMirror, isOpenSession } from './session.ts';
import { type Shell, createShell } from './shell.ts';
import { ShownRun } from './shown-run.ts';
import { Steering } from './steering.ts';
import { type TextDraft, createTextDraft } from './text-draft.ts';
import { Tracks } from './tracks.ts';
import { Viewport } from './viewport.ts';

export interface Model {
  readonly problems: Problems;
  readonly shell: Shell;
  readonly engine: EngineLink;
  readonly notices: NoticeHandlers;
  /** What the engine reported of the open session. */
  readonly mirror: SessionMirror;
  readonly intake: SessionIntake;
  readonly actions: SessionActions;
  readonly models: ModelManager;
  readonly files: FileIntake;
  readonly ownLanguage: OwnLanguage;
  readonly textDraft: TextDraft;
  readonly conversation: Conversation;
  readonly steering: Steering;
  /** The run that the page shows, and its view. */
  readonly shown: ShownRun;
  readonly view: RunView;
  readonly recordings: Recordings;
  readonly questions: QuestionRecords;
  readonly example: ExampleStore;
  readonly firstMinute: FirstMinute;
}

export function createModel(port: EnginePort): Model {
  const problems = new Problems();
  const shell = createShell();
  const mirror = createSessionMirror();
  const notices = new NoticeHandlers((sessionId) => isOpenSession(mirror.getState(), sessionId));
  const engine = new EngineLink(port, notices, problems);
  const conversation = createConversation(notices);
  const shown = new ShownRun(() => mirror.getState().provenance);
  const playhead = new Playhead();
  shown.subscribe(() => {
    playhead.setFrameCount(shown.run.frameCount);
  });
  const view: RunView = new RunView(shown, playhead, new Viewport(shown), {
    tracks: new Tracks(),
    readSpan: (start, end, maxCharacters) =>
      shown.isLive
        ? engine.send({ kind: 'spanText', start, end, maxCharacters })
        : Promise.resolve(recordings.spanText(start, end, maxCharacters)),
    onSelect: () => {
      shell.setState({ rightTab: 'inspector', rightOpen: true });
    },
  });
  const intake = new SessionIntake({ engine, mirror, shown, view, conversation, problems }, notices);
  const recordings: Recordings = new Recordings({ shown, view, shell, problems });
  const questions = new QuestionRecords({ recordings, shell, problems });
  const ownLanguage = new OwnLanguage({ engine, mirror });
  const actions = new SessionActions({
    ownLanguage,
    engine,
    mirror,
    intake,
    conversation,
    recordings,
    playhead,
    problems,
  });
  const models = new ModelManager({ engine, notices, mirror, actions, recordings, shell, problems });
  return {
    problems,
    shell,
    engine,
    notices,
    mirror,
    intake,
    actions,
    models,
    files: new FileIntake({ recordings, questions, actions, models, mirror, problems }),
    ownLanguage,
    textDraft: createTextDraft(),
    conversation,
    steering: new Steering({ engine, mirror, intake, shown, view, problems }),
    shown,
    view,
    recordings,
    questions,
    example: createExampleStore(),
    firstMinute: createFirstMinute(),
  };
}

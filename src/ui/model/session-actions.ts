/** What a user can do with a session, each in one method; buttons, keys and menus call these. */
import type { SessionRecord } from '../../runtime/engine/protocol/protocol.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import type { ImportedMessage } from '../../core/history-import/history-format.ts';
import type { Role } from '../../core/tree/provenance.ts';
import { type Conversation, putMessage } from './conversation.ts';
import type { CommandOf, EngineLink } from './engine-link.ts';
import type { OwnLanguage } from './own-language.ts';
import type { Playhead } from './playhead.ts';
import type { Problems } from './problems.ts';
import type { Recordings } from './recordings.ts';
import type { SessionIntake } from './session-intake.ts';
import { type SessionMirror, isOpenSession, listsOf, sessionsOf } from './session.ts';

/** Characters of a session's name. */
const MAX_TITLE = 120;

interface Parts {
  readonly engine: EngineLink;
  readonly ownLanguage: OwnLanguage;
  readonly mirror: SessionMirror;
  readonly intake: SessionIntake;
  readonly conversation: Conversation;
  readonly recordings: Recordings;
  readonly playhead: Playhead;
  readonly problems: Problems;
}

export class SessionActions {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Read the list of sessions afresh: counts and dates move while a session runs. */
  async refreshSessions(): Promise<void> {
    const { engine, mirror } = this.#parts;
    const sessions = await engine.attempt('The list of sessions could not be read', { kind: 'listSessions' });
    if (sessions) mirror.setState(listsOf(sessions));
  }

  /**
   * Make a session, and give it a text to read if there is one.
   *
   * @param config - where it differs from the model's defaults.
   * @returns the session's id; null if its text was not accepted.
   */
  async create(
    title: string,
    config: Partial<RunConfig> = {},
    document: { readonly text: string; readonly title: string } | null = null,
  ): Promise<string | null> {
    const { engine, mirror, intake } = this.#parts;
    mirror.setState({ settingUp: true });
    try {
      const snapshot = await engine.send({ kind: 'createSession', title, config });
      await intake.acceptSnapshot(snapshot);
      if (document !== null) {
        if (!(await this.ingest(document.text, document.title, 'document'))) return null;
        await this.run();
      }
      return snapshot.state.record.id;
    } finally {
      mirror.setState({ settingUp: false });
      await this.refreshSessions();
    }
  }

  async open(sessionId: string): Promise<void> {
    const { engine, mirror, intake, problems } = this.#parts;
    mirror.setState({ phase: 'opening' });
    // For those who look at how long it takes: the developer tools, and `npm run bench -- --suite open`.
    performance.mark('session-opening');
    try {
      await intake.acceptSnapshot(await engine.send({ kind: 'openSession', sessionId }));
    } catch (error) {
      mirror.setState({ phase: mirror.getState().session ? 'ready' : 'failed' });
      problems.reportError('The session could not be opened', error);
    }
  }

  /** Store what is in a session file as a session of its own, and open it. */
  async openFile(file: File): Promise<void> {
    const { engine, mirror, intake, recordings, problems } = this.#parts;
    const before = mirror.getState().phase;
    recordings.close();
    mirror.setState({ phase: 'opening' });
    try {
      await intake.acceptSnapshot(await engine.send({ kind: 'importSession', file }));
      await this.refreshSessions();
    } catch (error) {
      mirror.setState({ phase: before });
      problems.reportError(`${file.name} could not be opened`, error);
    } finally {
      mirror.setState({ progress: null });
    }
  }

  /** The open session as a file that travels; null if it could not be made. */
  async sessionFile(): Promise<{ readonly fileName: string; readonly file: Blob } | null> {
    const { engine, mirror } = this.#parts;
    const sessionId = mirror.getState().session?.record.id;
    if (sessionId === undefined) return null;
    try {
      return await engine.attempt('The session could not be saved as a file', {
        kind: 'exportSession',
        sessionId,
      });
    } finally {
      mirror.setState({ progress: null });
    }
  }

  /** Break off the session file that is on its way. */
  async stopTransfer(): Promise<void> {
    await this.#parts.engine.attempt('The session file could not be stopped', { kind: 'stopTransfer' });
  }

  /** Give a session another name or other tags, open or not. */
  async change(
    sessionId: string,
    changes: { readonly title?: string; readonly tags?: readonly string[] },
  ): Promise<void> {
    const { engine, intake } = this.#parts;
    const { title, tags } = changes;
    const state = await engine.attempt('The session could not be changed', {
      kind: 'changeSession',
      sessionId,
      ...(title !== undefined && { title }),
      ...(tags !== undefined && { tags }),
    });
    if (state) intake.showState(state);
    await this.refreshSessions();
  }

  /** Copy a session with all that is stored of it; the open one stays open. */
  async duplicate(sessionId: string, title: string): Promise<void> {
    const { engine, mirror } = this.#parts;
    try {
      const command = { kind: 'duplicateSession', sessionId, title } as const;
      await engine.attempt('The session could not be duplicated', command);
    } finally {
      mirror.setState({ progress: null });
    }
    await this.refreshSessions();
  }

  /** Delete a session, which can be undone for days; if it was the open one, open the next or create an empty one. */
  async remove(record: SessionRecord): Promise<void> {
    const { problems } = this.#parts;
    if (!(await this.#setDeleted(record, true))) return;
    problems.report({
      title: `“${record.title}” was deleted`,
      message: 'It can be taken back for seven days: session menu, All sessions, Deleted.',
      kept: '',
      tryNext: '',
      tone: 'info',
      act: { title: 'Undo', run: () => void this.takeBack(record) },
    });
    await this.#leave(record.id);
  }

  /** Undo that a session was deleted. */
  async takeBack(record: SessionRecord): Promise<void> {
    await this.#setDeleted(record, false);
  }

  /** Remove a session so that nothing of it is left here. */
  async removeForGood(sessionId: string): Promise<void> {
    const command = { kind: 'removeSession', sessionId } as const;
    await this.#parts.engine.attempt('The session could not be removed', command);
    await this.refreshSessions();
  }

  async #setDeleted({ id, title }: SessionRecord, deleted: boolean): Promise<boolean> {
    const { engine, problems } = this.#parts;
    try {
      await engine.send({ kind: 'changeSession', sessionId: id, deleted });
      return true;
    } catch (error) {
      problems.reportError(`“${title}” could not be ${deleted ? 'deleted' : 'taken back'}`, error);
      return false;
    } finally {
      await this.refreshSessions();
    }
  }

  /** Another session in the place of one that is gone. */
  async #leave(sessionId: string): Promise<void> {
    const { mirror } = this.#parts;
    const { sessions, session, boot } = mirror.getState();
    if (session?.record.id !== sessionId) return;
    const [next] = boot === null ? [] : sessionsOf(boot.model, sessions);
    if (next) await this.open(next.id);
    else await this.create('Untitled session');
  }

  /** Queue a text. True if it was accepted; the text stays with the caller otherwise. */
  async ingest(text: string, title: string, role: Role): Promise<boolean> {
    const command = { kind: 'ingestText', text, title, role } as const;
    const isAccepted = (await this.#parts.engine.attempt(`${title} was not added`, command)) !== null;
    if (isAccepted && role === 'document') void this.#parts.ownLanguage.checkDocument(text, title);
    return isAccepted;
  }

  /** Queue the messages of a log. True if it was accepted; what of it is no text is told. */
  async importHistory(messages: readonly ImportedMessage[], title: string): Promise<boolean> {
    const { engine, problems } = this.#parts;
    const queued = await engine.attempt(`${title} was not added`, {
      kind: 'importHistory',
      title,
      messages: [...messages],
    });
    if (queued !== null && queued.leftOut > 0) {
      problems.report({
        title: `Part of ${title} was left out`,
        message: `Of ${messages.length} messages ${queued.leftOut} are no text.`,
        kept: 'All the others are being read.',
        tryNext: 'Nothing needs to be done.',
        tone: 'info',
      });
    }
    return queued !== null;
  }

  /** Take back a document that waits to be read. */
  async removeWaiting(documentId: string): Promise<void> {
    await this.#changeQueue({ kind: 'removeWaiting', documentId });
  }

  /** Let a document that waits be read before another; null: last. */
  async moveWaiting(documentId: string, before: string | null): Promise<void> {
    await this.#changeQueue({ kind: 'moveWaiting', documentId, before });
  }

  /** Make a session that does again all that was done in the open one, without one of its documents, and open it. */
  async leaveOut(documentId: string, document: string): Promise<void> {
    const { engine, mirror, intake, problems } = this.#parts;
    const { session } = mirror.getState();
    if (!session) return;
    const { id: sessionId, title } = session.record;
    mirror.setState({ settingUp: true });
    try {
      const named = `${title} without ${document}`.slice(0, MAX_TITLE).trim();
      const command = { kind: 'leaveOutDocument', sessionId, documentId, title: named } as const;
      await intake.acceptSnapshot(await engine.send(command));
    } catch (error) {
      problems.reportError(`The session without ${document} could not be made`, error);
    } finally {
      mirror.setState({ settingUp: false });
      await this.refreshSessions();
    }
  }

  async run(): Promise<void> {
    const { engine, mirror, intake } = this.#parts;
    mirror.setState({ running: true });
    const command = { kind: 'run', tokensPerSecond: mirror.getState().pace } as const;
    const state = await engine.attempt('The session could not run', command);
    if (state) intake.acceptState(state);
    else mirror.setState({ running: false });
  }

  async pause(): Promise<void> {
    const { engine, mirror, intake } = this.#parts;
    mirror.setState({ running: false });
    const state = await engine.attempt('The session could not be paused', { kind: 'pause' });
    if (state) intake.acceptState(state);
  }

  /** Run if it stands, else pause. */
  async toggleRunning(): Promise<void> {
    this.#parts.recordings.close();
    await (this.#parts.mirror.getState().running ? this.pause() : this.run());
  }

  /** Ingest one block and refocus once. */
  async step(): Promise<void> {
    const { engine, intake, recordings, playhead } = this.#parts;
    recordings.close();
    playhead.followNewest();
    const state = await engine.attempt('The step failed', { kind: 'step' });
    if (state) intake.acceptState(state);
  }

  /** A new pace takes effect at once. */
  async setPace(pace: number): Promise<void> {
    this.#parts.mirror.setState({ pace });
    if (this.#parts.mirror.getState().running) await this.run();
  }

  /**
   * Change parameters; the session whose they are comes to the front. The error's words if the engine refused; the
   * old values then stay.
   */
  async setParameters(changes: Readonly<Record<string, unknown>>): Promise<string | null> {
    try {
      const state = await this.#parts.engine.send({ kind: 'setConfig', changes: { ...changes } });
      this.#parts.intake.showState(state);
      this.#parts.recordings.close();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Ask; the draft is cleared only once the engine took the question. */
  async ask(text: string): Promise<void> {
    const { engine, mirror, ownLanguage, conversation, recordings, playhead, problems } = this.#parts;
    const asked = mirror.getState().session?.record.id ?? '';
    const isStillOpen = () => isOpenSession(mirror.getState(), asked);
    conversation.setState({ asking: true, streaming: { messageId: null, tokens: [] } });
    recordings.close();
    playhead.followNewest();
    await ownLanguage.checkQuestion(text);
    try {
      const { question, answer } = await engine.send({ kind: 'ask', text });
      if (isStillOpen()) {
        putMessage(conversation, question);
        putMessage(conversation, answer);
      }
    } catch (error) {
      if (isStillOpen()) conversation.setState(({ draft }) => ({ draft: draft === '' ? text : draft }));
      problems.reportError('The question was not answered', error);
    } finally {
      if (isStillOpen()) conversation.setState({ asking: false, streaming: null });
    }
  }

  /** Make gists of an older GistNet anew, or pause that. */
  async renewGists(runs: boolean): Promise<void> {
    const { engine, intake } = this.#parts;
    const state = await engine.attempt('The gists could not be made anew', { kind: 'renewGists', runs });
    if (state) intake.showState(state);
  }

  async #changeQueue(command: CommandOf<'removeWaiting' | 'moveWaiting'>): Promise<void> {
    const { engine, intake } = this.#parts;
    const state = await engine.attempt('The waiting documents could not be changed', command);
    if (state) intake.showState(state);
  }

  async stopAnswer(): Promise<void> {
    await this.#parts.engine.attempt('The answer could not be stopped', { kind: 'stopAnswer' });
  }
}

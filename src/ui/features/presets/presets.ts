/** Tells a preset's story in a session of its own; the session that was open stays in the list. */
import { createStore } from 'zustand';
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../../core/trace/config.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { canChangeSession } from '../../model/session.ts';
import { chaptersOf, type Preset, presetsFor } from '../../model/presets.ts';

/** The preset whose story the open session tells, and what to watch in it now. */
export interface PresetState {
  /** The session made for it; the story is told only while that one is open. */
  readonly sessionId: string | null;
  readonly preset: Preset | null;
  readonly watch: string;
  /** Set once the text has been read and until it is asked. */
  readonly question: string | null;
}

export class Presets {
  readonly #store = createStore<PresetState>()(() => ({
    sessionId: null,
    preset: null,
    watch: '',
    question: null,
  }));
  readonly #model: Model;

  constructor({ model, commands }: Pick<Registry, 'model' | 'commands'>) {
    this.#model = model;
    for (const { id, title } of presetsFor(DEFAULT_RUN_CONFIG)) {
      commands.register({
        id: `preset-${id}`,
        title: `Preset: ${title.toLowerCase()}, in a new session`,
        group: 'Session',
        keys: [],
        run: () => {
          this.choose(id);
        },
      });
    }
  }

  get store(): ReadableStore<PresetState> {
    return this.#store;
  }

  /** Tell no story any more. */
  close(): void {
    this.#store.setState({ preset: null, sessionId: null });
  }

  /** Start a preset because the user chose it: not while another session is on its way, whose text it could catch. */
  choose(id: Preset['id']): void {
    if (canChangeSession(this.#model.mirror.getState())) void this.start(id);
    else this.#reportTooEarly();
  }

  /**
   * Start a preset by its id. Does nothing until model and example are loaded.
   *
   * @param changes - parameters to start with instead; a story that changes parameters itself is told unchanged.
   */
  async start(id: Preset['id'], changes: Partial<RunConfig> = {}): Promise<void> {
    const { actions, recordings, shell, problems } = this.#model;
    const { boot } = this.#model.mirror.getState();
    const { example } = this.#model.example.getState();
    const preset = boot && presetsFor(boot.defaults).find((each) => each.id === id);
    if (!preset || !example) {
      this.#reportTooEarly();
      return;
    }
    recordings.close();
    try {
      const [firstChapters, ...otherChapters] = preset.chapters;
      const config = preset.change ? preset.config : { ...preset.config, ...changes };
      const firstText = { text: chaptersOf(example.text, firstChapters), title: example.title };
      const sessionId = await actions.create(preset.title, config, firstText);
      if (sessionId === null) return;
      shell.setState({ mobileTab: 'timeline' });
      this.#store.setState({ sessionId, preset, watch: preset.watch, question: null });
      if (!(await this.#read(sessionId, 0))) return;
      for (const chapters of otherChapters) {
        if (preset.change && !(await this.#change(preset.change))) return;
        const cursorBefore = this.#model.mirror.getState().session?.cursor ?? 0;
        const title = `${example.title}, continued`;
        if (!(await actions.ingest(chaptersOf(example.text, chapters), title, 'document'))) return;
        await actions.run();
        if (!(await this.#read(sessionId, cursorBefore))) return;
      }
      if (preset.question !== null) this.#store.setState({ question: preset.question });
    } catch (error) {
      problems.reportError('The preset could not start', error);
    }
  }

  #reportTooEarly(): void {
    this.#model.problems.report({
      title: 'The preset cannot start yet',
      message: 'The model or the example is still loading, or a session is just being opened.',
      kept: 'What is shown.',
      tryNext: 'Try again in a moment.',
      tone: 'info',
    });
  }

  /** Ask the preset's question, once its text has been read. */
  async ask(): Promise<void> {
    const { actions, shell } = this.#model;
    const { question } = this.#store.getState();
    if (question === null) return;
    this.#store.setState({ question: null });
    shell.setState({ rightTab: 'chat', rightOpen: true });
    await actions.ask(question);
  }

  async #change({ config, watch }: NonNullable<Preset['change']>): Promise<boolean> {
    const { actions, problems } = this.#model;
    const refused = await actions.setParameters(config);
    if (refused === null) {
      this.#store.setState({ watch });
      return true;
    }
    problems.reportError('The parameters could not be changed', new Error(refused));
    return false;
  }

  /**
   * Resolves once everything queued was read; false if another session was opened meanwhile.
   *
   * @param cursorBefore - before the text was queued: a state that has not moved on is older than the queue.
   */
  #read(sessionId: string, cursorBefore: number): Promise<boolean> {
    const { mirror } = this.#model;
    return new Promise((resolve) => {
      const check = () => {
        const { session } = mirror.getState();
        const isOpen = session?.record.id === sessionId;
        const isRead = isOpen && session.cursor > cursorBefore && session.pendingTokens === 0;
        if (isOpen && !(isRead && session.activity === 'idle')) return;
        stop();
        resolve(isOpen);
      };
      const stop = mirror.subscribe(check);
      check();
    });
  }
}

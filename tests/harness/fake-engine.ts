/** An engine that invents plausible telemetry, so that the page can be worked on without a model. */
import { applyConfigChanges, DEFAULT_RUN_CONFIG, type RunConfig } from '../../src/core/config.ts';
import { K, tokensPerEntry } from '../../src/core/ids.ts';
import { layoutDelta } from '../../src/core/layout-delta.ts';
import type { ActionRecord, LayoutEntry, TelemetryEvent } from '../../src/core/telemetry.ts';
import type {
  BlockReport,
  BootReport,
  ChatMessageRecord,
  Command,
  CommandResults,
  Notice,
  ProvenanceRun,
  SessionRecord,
  SessionSnapshot,
  SessionState,
} from '../../src/runtime/protocol.ts';

const CHARACTERS_PER_TOKEN = 3.63;
const BUDGET = 512;

export class FakeEngine {
  readonly #listeners = new Set<(notice: Notice) => void>();
  #config: RunConfig = { ...DEFAULT_RUN_CONFIG, budgetTokens: BUDGET, recentTokens: 128 };
  #text = '';
  #cursor = 0;
  #step = 0;
  #layout: LayoutEntry[] = [];
  #running = false;
  #answering = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #provenance: ProvenanceRun[] = [];
  readonly #history: TelemetryEvent[] = [];
  #pins = new Set<string>();
  #seed = 1;
  #record = {
    id: 'fake-1',
    title: 'The Harbour Chronicle',
    createdAt: Date.now(),
    updatedAt: Date.now(),
    modelId: 'tiny',
    modelHash: 'a1b2c3d4e5f60718',
  };

  call<C extends Command>(command: C): Promise<CommandResults[C['kind']]> {
    return this.#answer(command) as Promise<CommandResults[C['kind']]>;
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  async #answer(command: Command): Promise<unknown> {
    switch (command.kind) {
      case 'boot':
        for (let done = 0; done <= 4; done++) {
          this.#tell({ kind: 'progress', task: 'load', label: 'Loading weights', done, total: 4 });
          await wait(60);
        }
        return this.#boot();
      case 'listSessions':
        return this.#step > 0 ? [this.#sessionRecord()] : [];
      case 'createSession':
      case 'openSession':
        return this.#snapshot();
      case 'ingestText':
        this.#provenance.push({
          start: this.#cursor,
          end: this.#cursor,
          role: command.role,
          documentId: 'd1',
          title: command.title,
          wallClockMs: Date.now(),
        });
        this.#text += command.text;
        return { documentId: 'd1', tokens: this.#total() };
      case 'run': {
        this.#running = true;
        const rate = command.tokensPerSecond || 6000;
        clearInterval(this.#timer);
        this.#timer = setInterval(
          () => {
            this.#block('block');
          },
          Math.max(4, (K / rate) * 1000),
        );
        return this.#state();
      }
      case 'pause':
        this.#running = false;
        clearInterval(this.#timer);
        return this.#state();
      case 'step':
        this.#block('block');
        return this.#state();
      case 'ask':
        return this.#ask(command.text);
      case 'setConfig':
        this.#config = applyConfigChanges(this.#config, command.changes);
        return this.#state();
      case 'act': {
        const key = `${command.lod}:${command.start}`;
        if (command.action === 'pin') this.#pins.add(key);
        else if (command.action === 'unpin') this.#pins.delete(key);
        else this.#manual(command.action, command.lod, command.start);
        return this.#state();
      }
      case 'inspect':
        return this.#inspect(command);
      case 'spanText': {
        const text = this.#spanText(command.start, command.end);
        return { text: text.slice(0, command.maxCharacters), truncated: text.length > command.maxCharacters };
      }
      case 'nextTokens':
        return [' eight', ' the', ' a', ' seven', ' Celia', '\n', ' in', ' two'].map((text, i) => ({
          tokenId: i,
          text,
          probability: (0.5 + 0.3 * this.#random()) / 2 ** i,
        }));
      case 'exportTrace':
        return { fileName: 'trace.jsonl', text: '{}' };
      case 'renameSession':
        this.#record = { ...this.#record, title: command.title };
        return this.#state();
      case 'removeSession':
      case 'stopAnswer':
      case 'refocus':
        return null;
      default:
        return command satisfies never;
    }
  }

  #boot(): BootReport {
    return {
      backend: {
        id: 'wasm',
        reason: 'WebGPU offered only a software adapter, which is slower than WASM.',
        adapter: 'SwiftShader',
        isSoftwareAdapter: true,
        wasOverridden: false,
      },
      model: {
        id: 'tiny',
        title: 'Tiny harbour 1.2M',
        hash: 'a1b2c3d4e5f60718',
        hiddenSize: 128,
        layers: 4,
        vocabularySize: 4096,
        parameters: 1_204_224,
        trainedContextTokens: 512,
        figures: [
          { name: 'recall, 16× budget', value: 0.931, n: 500, ci95: [0.905, 0.95], command: 'npm run eval' },
        ],
      },
      storage: { kind: 'indexeddb', reason: 'Sessions are kept in this browser.' },
      defaults: { ...DEFAULT_RUN_CONFIG, budgetTokens: BUDGET, recentTokens: 128 },
    };
  }

  #sessionRecord(): SessionRecord {
    return {
      ...this.#record,
      id: this.#record.id as SessionRecord['id'],
      tokenCount: this.#cursor,
      stepCount: this.#step,
      config: this.#config,
    };
  }

  #state(): SessionState {
    return {
      record: this.#sessionRecord(),
      config: this.#config,
      readOnly: false,
      cursor: this.#cursor,
      step: this.#step,
      pendingTokens: Math.max(0, this.#total() - this.#cursor),
      activity: this.#answering ? 'answering' : this.#running ? 'ingesting' : 'idle',
      marks: [],
    };
  }

  #snapshot(): SessionSnapshot {
    return {
      state: this.#state(),
      events: this.#history,
      chat: [],
      provenance: this.#provenance,
      damage: [],
    };
  }

  #total(): number {
    return Math.floor(this.#text.length / CHARACTERS_PER_TOKEN);
  }

  #block(trigger: 'block' | 'turn-end'): void {
    const added = Math.min(K, this.#total() - this.#cursor);
    if (added <= 0) {
      this.#running = false;
      clearInterval(this.#timer);
      this.#tell({ kind: 'state', state: this.#state() });
      return;
    }
    const before = this.#layout;
    const scored: LayoutEntry[] = [...before, [0, this.#cursor, this.#cursor + added]];
    this.#cursor += added;
    this.#growProvenance();
    this.#layout = [...scored];
    const actions: ActionRecord[] = [];
    while (this.#used() > this.#config.budgetTokens) if (!this.#forceCollapse(actions)) break;
    if (this.#random() < 0.5) this.#expandOne(actions);
    this.#emit(before, scored, actions, trigger);
  }

  #growProvenance(): void {
    const last = this.#provenance.at(-1);
    if (!last) return;
    const run = { ...last, end: this.#cursor };
    this.#provenance = [...this.#provenance.slice(0, -1), run];
    this.#tell({ kind: 'provenance', run });
  }

  #emit(
    before: LayoutEntry[],
    scored: LayoutEntry[],
    actions: ActionRecord[],
    trigger: 'block' | 'turn-end' | 'manual',
  ): void {
    const step = ++this.#step;
    const timeMs = performance.now();
    const used = this.#used();
    const applied = actions.filter((action) => action.applied).length;
    const events: TelemetryEvent[] = [
      { type: 'latency', step, timeMs, stage: 'gist', ms: 1.2 + this.#random() },
      { type: 'latency', step, timeMs, stage: 'score', ms: 6 + 3 * this.#random() },
      { type: 'latency', step, timeMs, stage: 'allocate', ms: 0.4 + this.#random() },
      {
        type: 'refocus',
        step,
        timeMs,
        cursor: this.#cursor,
        policy: this.#config.policy,
        windowStart: 0,
        usedTokens: used,
        budgetTokens: this.#config.budgetTokens,
        entryCount: this.#layout.length,
        layout: step === 1 ? { kind: 'keyframe', entries: this.#layout } : layoutDelta(before, this.#layout),
        scores: scored.map(([, start]) => Math.sin(start / 700 + step / 40) * 0.6 * this.#random()),
        actions,
        swapRate: applied / Math.max(1, scored.length),
        utilisation: used / this.#config.budgetTokens,
        meanResidency: 6,
        coherence: 0.5,
        trigger,
      },
    ];
    if (step % 8 === 0) {
      events.push({
        type: 'deltaNll',
        step,
        timeMs,
        cursor: this.#cursor,
        horizonTokens: 64,
        workingContextNll: 2,
        fullNll: 1.9,
        deltaNll: 0.05 + 0.1 * this.#random(),
      });
    }
    this.#tell({ kind: 'telemetry', events });
    this.#tell({ kind: 'state', state: this.#state() });
  }

  #used(): number {
    return this.#layout.reduce((sum, [lod, start, end]) => sum + (lod === 0 ? end - start : 1), 0);
  }

  #forceCollapse(actions: ActionRecord[]): boolean {
    const raw = this.#layout.findIndex(
      ([lod, start, end]) =>
        lod === 0 && end - start === K && end <= this.#cursor - this.#config.recentTokens && start % K === 0,
    );
    if (raw >= 0) {
      const [, start, end] = this.#layout[raw]!;
      this.#layout.splice(raw, 1, [1, start, end]);
      actions.push(action('collapse', 1, start, end, 1, 1 - K, -0.4 * this.#random(), 'over-budget'));
      return true;
    }
    for (const lod of [1, 2] as const) {
      const size = tokensPerEntry(lod + 1);
      for (let i = 0; i + K <= this.#layout.length; i++) {
        const [l, start] = this.#layout[i]!;
        if (l !== lod || start % size !== 0) continue;
        if (!this.#layout.slice(i, i + K).every((entry) => entry[0] === lod)) continue;
        this.#layout.splice(i, K, [lod + 1, start, start + size]);
        actions.push(
          action('collapse', lod + 1, start, start + size, lod + 1, 1 - K, -0.3, 'score-below-tau'),
        );
        return true;
      }
    }
    return false;
  }

  #expandOne(actions: ActionRecord[]): void {
    const gists = this.#layout.map((entry, i) => ({ entry, i })).filter(({ entry }) => entry[0] >= 1);
    const pick = gists[Math.floor(this.#random() * gists.length)];
    if (!pick) return;
    this.#expandAt(pick.i, actions, 'score-above-tau');
    while (this.#used() > this.#config.budgetTokens) if (!this.#forceCollapse(actions)) break;
  }

  #expandAt(i: number, actions: ActionRecord[], reason: ActionRecord['reason']): void {
    const [lod, start, end] = this.#layout[i]!;
    const toLod = lod - 1;
    const fits = this.#used() + K - 1 <= this.#config.budgetTokens + 64;
    actions.push({
      ...action(
        'expand',
        lod,
        start,
        end,
        toLod,
        K - 1,
        0.2 + 0.7 * this.#random(),
        fits ? reason : 'no-budget',
      ),
      applied: fits,
      ...(fits ? {} : { missingTokens: 12 }),
    });
    if (!fits) return;
    const size = tokensPerEntry(toLod);
    const children: LayoutEntry[] =
      lod === 1
        ? [[0, start, end]]
        : Array.from({ length: K }, (_, k): LayoutEntry => [toLod, start + k * size, start + (k + 1) * size]);
    this.#layout.splice(i, 1, ...children);
  }

  #manual(kind: 'expand' | 'collapse', lod: number, start: number): void {
    const before = [...this.#layout];
    const actions: ActionRecord[] = [];
    const at = this.#layout.findIndex((entry) => entry[0] === lod && entry[1] === start);
    if (at < 0) throw new Error('The block is not in the working context.');
    if (kind === 'expand') this.#expandAt(at, actions, 'manual');
    else {
      const [, s, e] = this.#layout[at]!;
      this.#layout.splice(at, 1, [1, s, e]);
      actions.push(action('collapse', 1, s, e, 1, 1 - K, null, 'manual'));
    }
    this.#emit(before, before, actions, 'manual');
  }

  async #ask(text: string): Promise<CommandResults['ask']> {
    this.#answering = true;
    const start = this.#cursor;
    const question: ChatMessageRecord = {
      id: `q${start}`,
      role: 'user',
      text,
      start,
      end: start + 12,
      createdAt: Date.now(),
      ending: 'complete',
    };
    this.#tell({ kind: 'chat', message: question });
    for (let i = 0; i < 3; i++) {
      this.#block('turn-end');
      await wait(150);
    }
    const answerStart = this.#cursor;
    const words = ['At', ' Rosen', ' a', ' wig', ' costs', ' eight', ' pence', '.'];
    for (const [i, word] of words.entries()) {
      await wait(120);
      const timeMs = performance.now();
      this.#tell({
        kind: 'telemetry',
        events: [
          {
            type: 'decode',
            step: this.#step,
            timeMs,
            tokenId: i,
            position: answerStart + i,
            text: word,
            logProbability: -0.1,
            entropy: 0.4,
          },
        ],
      });
      this.#tell({
        kind: 'answerText',
        messageId: `a${start}`,
        delta: word,
        tokenId: i,
        position: answerStart + i,
        step: this.#step,
      });
    }
    this.#answering = false;
    const answer: ChatMessageRecord = {
      id: `a${start}`,
      role: 'assistant',
      text: words.join(''),
      start: answerStart,
      end: answerStart + words.length,
      createdAt: Date.now(),
      ending: 'complete',
    };
    return { question, answer };
  }

  #spanText(start: number, end: number): string {
    return this.#text.slice(Math.floor(start * CHARACTERS_PER_TOKEN), Math.floor(end * CHARACTERS_PER_TOKEN));
  }

  #inspect({ lod, start, end }: { lod: number; start: number; end: number }): BlockReport {
    const here = this.#layout.find((entry) => entry[1] <= start && entry[2] > start);
    const present = here?.[0] === lod && here[1] === start;
    return {
      lod,
      start,
      end,
      text: this.#spanText(start, end),
      tokenTexts: [],
      inWorkingContext: present,
      currentLod: here ? here[0] : null,
      provenance: this.#provenance,
      gistVersion: lod > 0 ? 1 : null,
      createdAtStep: Math.ceil(end / K),
      accessCount: 12,
      lastAccessStep: this.#step,
      expansions: 2,
      collapses: 1,
      residencySteps: 9,
      pinned: this.#pins.has(`${lod}:${start}`),
      cooldownLeft: 1,
      canExpand:
        lod > 0 && present
          ? { legal: true, why: '' }
          : {
              legal: false,
              why:
                lod === 0 ? 'raw tokens are the finest level' : 'the block is not in the working context now',
            },
      canCollapse:
        lod === 0 && present
          ? { legal: true, why: '' }
          : { legal: false, why: 'its siblings are not all at this level' },
      neighbours:
        lod > 0
          ? [4, 19, 40].map((k) => ({
              start: k * K,
              end: (k + 1) * K,
              cosine: 0.91 - k / 100,
              text: this.#spanText(k * K, (k + 1) * K),
            }))
          : [],
    };
  }

  /** Have a long run already, as after a reload. */
  preload(steps: number, budgetTokens: number): void {
    this.#config = { ...this.#config, budgetTokens };
    this.#text = 'The harbour was quiet and the wind came from the north. '.repeat(
      Math.ceil((steps * K * CHARACTERS_PER_TOKEN) / 56),
    );
    this.#provenance = [
      { start: 0, end: 0, role: 'document', documentId: 'd0', title: 'Long text', wallClockMs: 0 },
    ];
    for (let i = 0; i < steps; i++) this.#block('block');
    this.#text = this.#text.slice(0, Math.floor(this.#cursor * CHARACTERS_PER_TOKEN));
  }

  #tell(notice: Notice): void {
    if (notice.kind === 'telemetry') this.#history.push(...notice.events);
    for (const listener of this.#listeners) listener(notice);
  }

  /** Mulberry32, so that screenshots repeat. */
  #random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

function action(
  kind: ActionRecord['kind'],
  lod: number,
  start: number,
  end: number,
  toLod: number,
  costDelta: number,
  score: number | null,
  reason: ActionRecord['reason'],
): ActionRecord {
  return {
    kind,
    lod,
    start,
    end,
    toLod,
    score,
    rank: score === null ? null : 1,
    costDelta,
    reason,
    applied: true,
    pass: 0,
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

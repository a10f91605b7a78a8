/** What was read, shared by all heads: the tree of tokens and gists. Knows no working context. */
import { nextPieceTokens } from '../../../core/allocator/refocus-cadence.ts';
import { BlockSignals } from '../../../core/heads/block-signals.ts';
import { HistoryWords } from '../../../core/lexical/history-words.ts';
import type { SealedIndex } from '../../../core/lexical/window-index.ts';
import { K } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import { type BuiltGists, GistBuilder } from './gist-builder.ts';

export class Memory {
  /** The history's words; indexed when they are first asked for. */
  readonly words: HistoryWords;
  /** What cues of heads read of its blocks; taken in when it is first asked for. */
  readonly signals: BlockSignals;
  /** Tokens as text, for cues. */
  readonly textOf: (ids: Uint32Array) => string;
  private readonly gists: GistBuilder;

  /** @param index - of the tree's words, as it was stored. */
  constructor(
    readonly tree: GistTree,
    model: Pick<LoadedModel, 'gistNet' | 'base' | 'tokenizer'>,
    private readonly telemetry: TelemetryRecorder,
    index?: SealedIndex,
  ) {
    const { tokenizer } = model;
    this.words = new HistoryWords(tree, () => tokenizer.createStreamDecoder(), index);
    this.signals = new BlockSignals(tree, () => tokenizer.createStreamDecoder());
    this.textOf = (ids) => tokenizer.decode(ids);
    this.gists = new GistBuilder(tree, model.gistNet, model.base);
  }

  /**
   * Cuts tokens where blocks end, or more rarely. Each piece must be in the history before the next one is asked for.
   *
   * @param everyTokens - where a refocus is due.
   */
  *pieces(ids: Uint32Array, everyTokens = K): Generator<Uint32Array> {
    for (let from = 0; from < ids.length;) {
      const piece = ids.subarray(from, from + nextPieceTokens(everyTokens, this.tree.tokenCount));
      from += piece.length;
      yield piece;
    }
  }

  /** Take tokens into the history. Gists that they make due are still to be made. @param step - the last refocus. */
  append(ids: Uint32Array, origin: Provenance, step: number): void {
    const { telemetry, tree } = this;
    const { start, end } = tree.appendTokens(ids, origin, step);
    const { role, documentId } = origin;
    telemetry.emit({ ...telemetry.base(step), type: 'ingest', start, end, role, documentId });
  }

  /** Make the next gists of an older GistNet anew. @returns what was made, or null when none is left. */
  async renewNextGists(step: number): Promise<BuiltGists | null> {
    const built = await this.gists.renewNext(step);
    if (built !== null && built.notFinite > 0) this.noteNotFinite(step, built);
    return built;
  }

  /** Make every gist that is missing, lowest level first. */
  async makeGists(
    step: number,
    onBatch: (made: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const { telemetry } = this;
    let made = 0;
    for (let built = await this.gists.buildNext(step); built !== null;) {
      const { lod, firstIndex, count } = built;
      telemetry.emit({ ...telemetry.base(step), type: 'gist', lod, firstIndex, count });
      if (built.notFinite > 0) this.noteNotFinite(step, built);
      made += count;
      await onBatch(made);
      built = await this.gists.buildNext(step);
    }
  }
  private noteNotFinite(step: number, { lod, firstIndex, notFinite }: BuiltGists): void {
    const message = `${notFinite} LOD${lod} gists from ${firstIndex} on were not finite; their children's mean stands in.`;
    this.telemetry.emit({
      ...this.telemetry.base(step),
      type: 'violation',
      head: null,
      check: 'gist-finite',
      message,
      action: 'rolled-back',
    });
  }
}

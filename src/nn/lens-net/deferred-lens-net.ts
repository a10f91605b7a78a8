/** A LensNet whose weights are read when it first scores: of a model's variants most sessions use one. */
import type { SlotView } from '../../core/context/slot-view.ts';
import type { LensNetConfig } from '../model-folder/manifest.ts';
import type { LensNet } from '../ports.ts';

export class DeferredLensNet implements LensNet {
  readonly id = 'lensnet';
  readonly version: number;
  readonly tailTokens: number;
  readonly readsWords: boolean;
  private net: LensNet | null = null;
  private loading: Promise<LensNet> | null = null;
  private isDisposed = false;

  /** @param load - makes the net on the active backend; it is this one's to dispose. Asked again after a failure. */
  constructor(
    { version, tailTokens, lexicalFeatures }: LensNetConfig,
    private readonly load: () => Promise<LensNet>,
  ) {
    this.version = version;
    this.tailTokens = tailTokens;
    this.readsWords = lexicalFeatures !== undefined;
  }

  /** @throws what reading the weights does; the next call tries again. */
  async score(view: SlotView): Promise<Float32Array> {
    const net = await (this.loading ??= this.begin());
    return net.score(view);
  }

  dispose(): void {
    this.isDisposed = true;
    this.net?.dispose();
    this.net = null;
    this.loading = null;
  }

  /** What comes after the end goes at once. */
  private keep(net: LensNet): void {
    if (this.isDisposed) {
      net.dispose();
      throw new Error('This LensNet was disposed while its weights were read.');
    }
    this.net = net;
  }

  private async begin(): Promise<LensNet> {
    try {
      if (this.isDisposed) throw new Error('This LensNet is disposed.');
      const net = await this.load();
      this.keep(net);
      return net;
    } catch (error) {
      this.loading = null;
      throw error;
    }
  }
}

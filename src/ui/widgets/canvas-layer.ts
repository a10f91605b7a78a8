/** A canvas that matches its element's size in device pixels and is drawn in CSS pixels. */
export class CanvasLayer {
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;
  /** Device pixels in a CSS pixel. */
  ratio = 1;

  /** @param settings - of the context; `willReadFrequently` keeps its pixels where images are put from. */
  constructor(
    readonly canvas: HTMLCanvasElement,
    settings: CanvasRenderingContext2DSettings = {},
  ) {
    const context = canvas.getContext('2d', settings);
    if (!context) throw new Error('This browser offers no 2D canvas.');
    this.context = context;
  }

  /** Adopt the element's size. True if it changed. */
  fit(): boolean {
    const ratio = globalThis.devicePixelRatio;
    const { clientWidth, clientHeight } = this.canvas;
    const pixelWidth = Math.max(1, Math.round(clientWidth * ratio));
    const pixelHeight = Math.max(1, Math.round(clientHeight * ratio));
    if (this.canvas.width === pixelWidth && this.canvas.height === pixelHeight) return false;
    this.canvas.width = pixelWidth;
    this.canvas.height = pixelHeight;
    this.width = clientWidth;
    this.height = clientHeight;
    this.ratio = ratio;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return true;
  }

  clear(): void {
    this.context.clearRect(0, 0, this.width, this.height);
  }
}

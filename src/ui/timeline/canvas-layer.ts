/** A canvas that matches its element's size in device pixels and is drawn in CSS pixels. */
export class CanvasLayer {
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d');
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
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return true;
  }

  clear(): void {
    this.context.clearRect(0, 0, this.width, this.height);
  }
}

/**
 * Filled boxes as pixels of one image: thousands of small boxes a frame cost a canvas a command each, here a
 * write into memory that is kept. Bands of it are drawn anew and put onto the canvas one by one.
 */
import type { DrawSurface } from '../../widgets/surface.ts';

/** What drawing code needs to fill boxes; a canvas is one, too. */
export type FillSurface = Pick<DrawSurface, 'fillStyle' | 'fillRect'>;

/** A CSS colour as a pixel of an image: four bytes, red first in memory. Opaque. */
type PixelOf = (colour: string) => number;

/** Most boxes are a few pixels wide, and a call costs more than writing those. */
const LOOPED_PIXELS = 24;

export class RowRaster implements FillSurface {
  /** One number a device pixel, row by row; 0 is transparent. */
  #pixels = new Uint32Array(0);
  #image: ImageData | null = null;
  #width = 0;
  #height = 0;
  #ratio = 1;
  /** The open band in device pixels, and where its boxes count from in CSS pixels. */
  #from = 0;
  #to = 0;
  #top = 0;
  #bottom = 0;
  #origin = 0;
  #colour = '';
  #pixel = 0;
  readonly #known = new Map<string, number>();
  readonly #pixelOf: PixelOf;

  constructor(pixelOf: PixelOf) {
    this.#pixelOf = pixelOf;
  }

  get pixels(): Uint32Array<ArrayBuffer> {
    return this.#pixels;
  }

  /** Adopt a canvas's size in CSS pixels. Memory is taken anew, and empty, only when it changed. */
  fit(width: number, height: number, ratio: number): void {
    this.#ratio = ratio;
    const wide = Math.round(width * ratio);
    const high = Math.round(height * ratio);
    if (wide === this.#width && high === this.#height) return;
    this.#pixels = new Uint32Array(wide * high);
    this.#image = null;
    this.#width = wide;
    this.#height = high;
  }

  /**
   * Clear a band; boxes that follow are clipped to it and count `x` from `origin`.
   *
   * @param top - with `bottom`, the part of the band that is drawn anew; all of it unless said otherwise.
   */
  open(x: number, width: number, origin = x, top = 0, bottom = Number.POSITIVE_INFINITY): void {
    this.#origin = origin;
    this.#from = Math.max(0, Math.round(x * this.#ratio));
    this.#to = Math.min(this.#width, Math.round((x + width) * this.#ratio));
    this.#top = Math.max(0, Math.round(top * this.#ratio));
    this.#bottom = Math.min(this.#height, Math.round(bottom * this.#ratio));
    for (let row = this.#top; row < this.#bottom; row++) {
      this.#pixels.fill(0, row * this.#width + this.#from, row * this.#width + this.#to);
    }
  }

  /** Move everything down, or up where negative; what moves in is whatever was there. False if by part of a pixel. */
  scroll(byPixels: number): boolean {
    const rows = byPixels * this.#ratio;
    if (!Number.isInteger(rows)) return false;
    const from = Math.max(0, -rows) * this.#width;
    const to = Math.max(0, this.#height - Math.max(0, rows)) * this.#width;
    if (rows !== 0 && to > from) this.#pixels.copyWithin(Math.max(0, rows) * this.#width, from, to);
    return true;
  }

  get fillStyle(): string {
    return this.#colour;
  }

  /** CSS colours only: gradients and patterns are not drawn with. */
  set fillStyle(colour: DrawSurface['fillStyle']) {
    if (colour === this.#colour || typeof colour !== 'string') return;
    this.#colour = colour;
    let pixel = this.#known.get(colour);
    if (pixel === undefined) {
      pixel = this.#pixelOf(colour);
      this.#known.set(colour, pixel);
    }
    this.#pixel = pixel;
  }

  /** Edges go to the nearest device pixel; what has any width is at least one pixel wide. */
  fillRect(x: number, y: number, width: number, height: number): void {
    const ratio = this.#ratio;
    const left = Math.round((this.#origin + x) * ratio);
    const right = Math.max(Math.round((this.#origin + x + width) * ratio), left + 1);
    const top = Math.round(y * ratio);
    const bottom = Math.min(this.#bottom, Math.max(Math.round((y + height) * ratio), top + 1));
    const from = Math.max(left, this.#from);
    const to = Math.min(right, this.#to);
    if (to <= from) return;
    const pixels = this.#pixels;
    const pixel = this.#pixel;
    const wide = this.#width;
    const length = to - from;
    for (let row = Math.max(this.#top, top); row < bottom; row++) {
      const start = row * wide + from;
      if (length > LOOPED_PIXELS) pixels.fill(pixel, start, start + length);
      else for (let at = start; at < start + length; at++) pixels[at] = pixel;
    }
  }

  /** Put the open band onto a canvas of the same size, in place of what is there. */
  show(context: CanvasRenderingContext2D): void {
    if (this.#pixels.length === 0) return;
    this.#image ??= new ImageData(new Uint8ClampedArray(this.#pixels.buffer), this.#width, this.#height);
    context.putImageData(this.#image, 0, 0, this.#from, 0, this.#to - this.#from, this.#height);
  }
}

/** Colours as the browser reads them, through a canvas of one pixel. */
export function createPixelReader(): PixelOf {
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser offers no 2D canvas.');
  return (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0]!;
  };
}

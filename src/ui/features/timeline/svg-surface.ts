/** A drawing surface that writes SVG: what the timeline draws on a canvas becomes shapes that stay sharp. */
import type { DrawSurface } from '../../widgets/surface.ts';

interface Style {
  readonly fillStyle: DrawSurface['fillStyle'];
  readonly strokeStyle: DrawSurface['strokeStyle'];
  readonly lineWidth: number;
  readonly globalAlpha: number;
  readonly font: string;
  readonly textAlign: CanvasTextAlign;
  readonly textBaseline: CanvasTextBaseline;
  readonly offsetX: number;
  readonly offsetY: number;
}

interface Saved extends Style {
  /** Groups opened by clipping since. */
  readonly groups: number;
}

const ANCHORS: Partial<Record<CanvasTextAlign, string>> = { center: 'middle', right: 'end', end: 'end' };
const BASELINES: Partial<Record<CanvasTextBaseline, string>> = { middle: 'central', top: 'hanging' };
const FONT = /(?:(\d+) )?(\d+(?:\.\d+)?)px (.+)/;

/** Colours must be CSS strings; gradients and patterns are not drawn with. */
export class SvgSurface implements DrawSurface {
  fillStyle: DrawSurface['fillStyle'] = '#000000';
  strokeStyle: DrawSurface['strokeStyle'] = '#000000';
  lineWidth = 1;
  globalAlpha = 1;
  font = '10px sans-serif';
  textAlign: CanvasTextAlign = 'start';
  textBaseline: CanvasTextBaseline = 'alphabetic';
  #offsetX = 0;
  #offsetY = 0;
  readonly #marks: string[] = [];
  readonly #saved: Saved[] = [];
  #groups = 0;
  #clips = 0;
  #path = '';
  /** Rectangles of one colour that wait to become one path: a matrix has thousands. */
  #waiting: { readonly paint: string; d: string } | null = null;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  fillRect(x: number, y: number, width: number, height: number): void {
    const paint = `fill="${escaped(this.fillStyle)}"${this.#opacity('fill')}`;
    if (this.#waiting?.paint !== paint) {
      this.#flush();
      this.#waiting = { paint, d: '' };
    }
    this.#waiting.d += this.#rectangle(x, y, width, height);
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.#strokePath(this.#rectangle(x, y, width, height));
  }

  /** Nothing lies below an exported picture that would have to be cleared. */
  clearRect(): void {
    this.#flush();
  }

  beginPath(): void {
    this.#path = '';
  }

  closePath(): void {
    this.#path += 'Z';
  }

  moveTo(x: number, y: number): void {
    this.#path += `M${this.#point(x, y)}`;
  }

  lineTo(x: number, y: number): void {
    this.#path += `L${this.#point(x, y)}`;
  }

  bezierCurveTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): void {
    this.#path += `C${this.#point(x1, y1)} ${this.#point(x2, y2)} ${this.#point(x, y)}`;
  }

  /** Whole turns are drawn as two halves: an SVG arc cannot end where it began. */
  arc(x: number, y: number, radius: number, from: number, to: number, counterclockwise = false): void {
    const sweep = counterclockwise ? 0 : 1;
    const at = (angle: number) => this.#point(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
    const middle = (from + to) / 2;
    const r = short(radius);
    const half = (angle: number) => `A${r} ${r} 0 0 ${sweep} ${at(angle)}`;
    this.#path += `${this.#path === '' ? 'M' : 'L'}${at(from)}${half(middle)}${half(to)}`;
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.#path += this.#rectangle(x, y, width, height);
  }

  fill(): void {
    this.#mark(`<path fill="${escaped(this.fillStyle)}"${this.#opacity('fill')} d="${this.#path}"/>`);
  }

  stroke(): void {
    this.#strokePath(this.#path);
  }

  fillText(text: string, x: number, y: number): void {
    const [, weight, size = '10', family = 'sans-serif'] = FONT.exec(this.font) ?? [];
    const anchor = ANCHORS[this.textAlign];
    const baseline = BASELINES[this.textBaseline];
    this.#mark(
      `<text x="${short(x + this.#offsetX)}" y="${short(y + this.#offsetY)}" font-size="${size}"` +
        ` font-family="${escaped(family)}"${weight ? ` font-weight="${weight}"` : ''}` +
        `${anchor ? ` text-anchor="${anchor}"` : ''}${baseline ? ` dominant-baseline="${baseline}"` : ''}` +
        ` fill="${escaped(this.fillStyle)}"${this.#opacity('fill')}>${escaped(text)}</text>`,
    );
  }

  translate(x: number, y: number): void {
    this.#offsetX += x;
    this.#offsetY += y;
  }

  save(): void {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha, font, textAlign, textBaseline } = this;
    this.#saved.push({
      fillStyle,
      strokeStyle,
      lineWidth,
      globalAlpha,
      font,
      textAlign,
      textBaseline,
      offsetX: this.#offsetX,
      offsetY: this.#offsetY,
      groups: this.#groups,
    });
  }

  restore(): void {
    const saved = this.#saved.pop();
    if (!saved) return;
    const { offsetX, offsetY, groups, ...style } = saved;
    Object.assign(this, style);
    this.#offsetX = offsetX;
    this.#offsetY = offsetY;
    for (; this.#groups > groups; this.#groups--) this.#mark('</g>');
  }

  clip(): void {
    const id = `clip-${this.#clips++}`;
    this.#mark(`<clipPath id="${id}"><path d="${this.#path}"/></clipPath><g clip-path="url(#${id})">`);
    this.#groups++;
  }

  /** The whole document. */
  toSvg(title: string, description: string): string {
    this.#flush();
    const { width, height } = this;
    const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`;
    const words = `<title>${escaped(title)}</title>\n<desc>${escaped(description)}</desc>`;
    return `${open}\n${words}\n${this.#marks.join('\n')}\n${'</g>'.repeat(this.#groups)}</svg>\n`;
  }

  #strokePath(d: string): void {
    this.#mark(
      `<path fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${short(this.lineWidth)}"${this.#opacity('stroke')} d="${d}"/>`,
    );
  }

  #mark(markup: string): void {
    this.#flush();
    this.#marks.push(markup);
  }

  #flush(): void {
    if (this.#waiting !== null) this.#marks.push(`<path ${this.#waiting.paint} d="${this.#waiting.d}"/>`);
    this.#waiting = null;
  }

  #opacity(part: 'fill' | 'stroke'): string {
    return this.globalAlpha === 1 ? '' : ` ${part}-opacity="${short(this.globalAlpha)}"`;
  }

  #point(x: number, y: number): string {
    return `${short(x + this.#offsetX)} ${short(y + this.#offsetY)}`;
  }

  #rectangle(x: number, y: number, width: number, height: number): string {
    return `M${this.#point(x, y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** As XML text or attribute value; characters that XML forbids are left out. */
function escaped(value: unknown): string {
  return String(value)
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!)
    .replaceAll(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/g,
      '',
    );
}

/** Turns a plot on the page into a PNG: its styles are written into a copy, which is drawn on a canvas. */

const SCALE = 2;
const PADDING = 16;
const TITLE_HEIGHT = 28;
const STYLES = [
  'color',
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font-family',
  'font-size',
  'font-variant-numeric',
] as const;

/** @throws where the browser cannot draw or encode it. */
export async function pngOf(svg: SVGSVGElement, title: string): Promise<Blob> {
  const width = svg.width.baseVal.value;
  const height = svg.height.baseVal.value;
  const style = getComputedStyle(svg);
  const image = await load(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`);
  const canvas = document.createElement('canvas');
  canvas.width = (width + 2 * PADDING) * SCALE;
  canvas.height = (height + 2 * PADDING + TITLE_HEIGHT) * SCALE;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('The browser gives no canvas to draw on.');
  context.scale(SCALE, SCALE);
  context.fillStyle = style.getPropertyValue('--panel');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.getPropertyValue('--text');
  context.font = `600 13px ${style.fontFamily}`;
  context.fillText(title, PADDING, PADDING + 12, width);
  context.drawImage(image, PADDING, PADDING + TITLE_HEIGHT, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((file) => {
      if (file === null) reject(new Error('The browser could not encode the picture.'));
      else resolve(file);
    }, 'image/png');
  });
}

/** The plot's source with every style that a stylesheet gave it. */
function standalone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = [svg, ...svg.querySelectorAll<SVGElement>('*')];
  const copies = [copy, ...copy.querySelectorAll<SVGElement>('*')];
  for (const [i, original] of originals.entries()) {
    const style = getComputedStyle(original);
    const text = STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(';');
    copies[i]!.setAttribute('style', text);
  }
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return new XMLSerializer().serializeToString(copy);
}

function load(url: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      resolve(image);
    };
    image.onerror = () => {
      reject(new Error('The browser could not draw the plot.'));
    };
    image.src = url;
  });
}

/** A drawing surface for tests: writes down what was drawn instead of drawing it. */
import type { DrawSurface } from '../surface.ts';

/** Calls as `fillRect <fillStyle> x y width height`, `strokeRect <strokeStyle> x y width height`, `fill <fillStyle>`, `stroke <strokeStyle>`. */
export function recordingSurface(): { readonly surface: DrawSurface; readonly calls: string[] } {
  const calls: string[] = [];
  const state: Record<string, unknown> = {};
  const rounded = (value: number) => Number(value.toFixed(2));
  const surface = new Proxy(state, {
    get(target, name: string) {
      if (name in target) return target[name];
      return (...values: number[]) => {
        if (name === 'fillRect') {
          calls.push(`fillRect ${String(target.fillStyle)} ${values.map(rounded).join(' ')}`);
        }
        if (name === 'strokeRect') {
          calls.push(`strokeRect ${String(target.strokeStyle)} ${values.map(rounded).join(' ')}`);
        }
        if (name === 'fill') calls.push(`fill ${String(target.fillStyle)}`);
        if (name === 'stroke') calls.push(`stroke ${String(target.strokeStyle)}`);
      };
    },
  });
  return { surface: surface as unknown as DrawSurface, calls };
}

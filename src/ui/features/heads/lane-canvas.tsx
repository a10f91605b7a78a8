/** One lane's canvas: drawn anew when it shows something else, its axis moved, or the theme changed. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { readPalette, watchTheme } from '../../view/palette.ts';
import { CanvasLayer } from '../../widgets/canvas-layer.ts';
import type { LaneScene } from './draw-lanes.ts';

interface LaneCanvasProps extends Pick<LaneScene, 'left' | 'width' | 'window'> {
  readonly label: string;
  /** Another one means that the lane shows something else. */
  readonly stamp: string;
  readonly draw: (surface: CanvasRenderingContext2D, scene: LaneScene) => void;
}

export function LaneCanvas({ label, stamp, draw, left, width, window }: LaneCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const layer = useRef<CanvasLayer>(null);
  const theme = useSyncExternalStore(watchTheme, () => document.documentElement.dataset['theme']);
  const latest = useRef(draw);
  useEffect(() => {
    latest.current = draw;
  });
  useEffect(() => {
    layer.current ??= new CanvasLayer(canvas.current!);
    const { current } = layer;
    current.fit();
    current.clear();
    const palette = readPalette(canvas.current!);
    latest.current(current.context, { left, width, window, height: current.height, palette });
  }, [stamp, left, width, window, theme]);
  return <canvas ref={canvas} role="img" aria-label={label} />;
}

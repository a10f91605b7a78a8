/** The handle between two panels: drag it, or focus it and use the arrow keys; double click resets. */
import { useRef } from 'react';

interface SplitterProps {
  readonly label: string;
  readonly width: number;
  readonly limits: { readonly min: number; readonly max: number; readonly initial: number };
  /** On which side the panel lies that this handle resizes. */
  readonly side: 'left' | 'right';
  readonly onWidth: (width: number) => void;
}

const KEY_STEP = 16;

export function Splitter({ label, width, limits, side, onWidth }: SplitterProps) {
  const dragged = useRef<{ x: number; width: number } | null>(null);
  const sign = side === 'left' ? 1 : -1;
  const set = (wanted: number) => {
    onWidth(Math.min(Math.max(wanted, limits.min), limits.max));
  };
  return (
    <div
      className="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={limits.min}
      aria-valuemax={limits.max}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => {
        if (dragged.current) set(dragged.current.width + sign * (event.clientX - dragged.current.x));
      }}
      onLostPointerCapture={() => {
        dragged.current = null;
      }}
      onDoubleClick={() => {
        set(limits.initial);
      }}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') set(width - sign * KEY_STEP);
        else if (event.key === 'ArrowRight') set(width + sign * KEY_STEP);
        else return;
        event.preventDefault();
      }}
    />
  );
}

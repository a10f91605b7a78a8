/** Pointer and wheel on the timeline: hover, select, pan, zoom. */
import { type BlockRef } from '../../model/viewport.ts';
import { entryAtX } from './hit.ts';
import { entryAtSlot, slotOffsets } from './slots.ts';
import { yToStep } from '../../model/step-axis.ts';
import { STRIP_HEIGHT, type TimelineRenderer } from './timeline-renderer.ts';
import { type Pinch, panTokens, pinchTokens, wheelZoom, xToToken } from '../../model/token-axis.ts';

/** What the pointer rests on, in page pixels. */
export interface Hit {
  readonly index: number;
  readonly entryIndex: number;
  readonly block: BlockRef;
  readonly clientX: number;
  readonly clientY: number;
}

const DRAG_FROM_PIXELS = 4;
/** Wheel pixels that scroll the tracks by one. */
const WHEEL_PER_TRACK = 80;

export function listenForGestures(renderer: TimelineRenderer, onHit: (hit: Hit | null) => void): () => void {
  const { overlay, strip, range } = renderer.elements;
  const controller = new AbortController();
  const { signal } = controller;
  const { view } = renderer;
  const { viewport } = view;
  let drag: { x: number; y: number; moved: boolean } | null = null;
  let trackPixels = 0;
  /** Where the fingers are, in page pixels. */
  const touches = new Map<number, { readonly x: number; readonly y: number }>();
  let pinch: Pinch | null = null;

  const show = (hit: Hit | null) => {
    renderer.setHover(hit && { index: hit.index, block: hit.block });
    onHit(hit);
  };

  const matrixHit = (event: MouseEvent): Hit | null => {
    const { left, matrixWidth } = renderer.layout;
    const box = overlay.getBoundingClientRect();
    const x = event.clientX - box.left - left;
    const { steps, tokens } = viewport.state;
    const index = yToStep(event.clientY - box.top, steps, view.run.frameCount);
    if (index === null || x < 0 || x > matrixWidth) return null;
    const entries = view.run.layoutAt(index);
    return hitOf(event, index, entryAtX(entries, x, tokens, matrixWidth));
  };

  const stripHit = (event: MouseEvent): Hit | null => {
    const box = strip.getBoundingClientRect();
    const index = view.shownIndex;
    const frame = view.run.frameAt(index);
    if (!frame || event.clientY - box.top > STRIP_HEIGHT) return null;
    const slot = ((event.clientX - box.left) / box.width) * frame.budgetTokens;
    return hitOf(event, index, entryAtSlot(slotOffsets(view.run.layoutAt(index)), slot));
  };

  const hitOf = (event: MouseEvent, index: number, entryIndex: number): Hit | null => {
    const entry = view.run.layoutAt(index)[entryIndex];
    if (!entry) return null;
    const [lod, start, end] = entry;
    return { index, entryIndex, block: { lod, start, end }, clientX: event.clientX, clientY: event.clientY };
  };

  const pointerToken = (event: MouseEvent): number | null => {
    const { left, matrixWidth } = renderer.layout;
    const x = event.clientX - overlay.getBoundingClientRect().left - left;
    return x < 0 || x > matrixWidth ? null : xToToken(x, viewport.state.tokens, matrixWidth);
  };

  const pinchNow = (): Pinch | null => {
    const [a, b] = touches.values();
    if (!a || !b) return null;
    const left = overlay.getBoundingClientRect().left + renderer.layout.left;
    return { x: (a.x + b.x) / 2 - left, distance: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  const liftTouch = ({ pointerId }: PointerEvent) => {
    touches.delete(pointerId);
    pinch = pinchNow();
  };

  overlay.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0) return;
      overlay.setPointerCapture(event.pointerId);
      if (event.pointerType === 'touch') touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
      pinch = pinchNow();
      if (pinch) {
        drag = null;
        show(null);
        return;
      }
      drag = { x: event.clientX, y: event.clientY, moved: false };
    },
    { signal },
  );
  overlay.addEventListener(
    'pointermove',
    (event) => {
      viewport.tellPointerToken(pointerToken(event));
      if (touches.has(event.pointerId)) touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const moved = pinchNow();
      if (pinch && moved) {
        const { matrixWidth } = renderer.layout;
        const tokens = pinchTokens(viewport.state.tokens, pinch, moved, matrixWidth, view.run.cursor);
        viewport.set({ tokens, autoTokens: false });
        pinch = moved;
        return;
      }
      if (!drag) {
        show(matrixHit(event));
        return;
      }
      const dx = event.clientX - drag.x;
      const dy = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < DRAG_FROM_PIXELS) return;
      if (!drag.moved) overlay.classList.add('is-dragged');
      const { tokens } = viewport.state;
      const byTokens = (-dx / renderer.layout.matrixWidth) * (tokens.end - tokens.start);
      const panned = panTokens(tokens, byTokens, view.run.cursor);
      if (panned.start !== tokens.start) viewport.set({ tokens: panned, autoTokens: false });
      if (dy !== 0) viewport.panSteps(-dy);
      drag = { x: event.clientX, y: event.clientY, moved: true };
      show(null);
    },
    { signal },
  );
  overlay.addEventListener(
    'pointerup',
    (event) => {
      const wasPinched = pinch !== null || (event.pointerType === 'touch' && drag === null);
      liftTouch(event);
      if (wasPinched) return;
      const wasDragged = drag?.moved === true;
      drag = null;
      overlay.classList.remove('is-dragged');
      if (wasDragged) return;
      const hit = matrixHit(event);
      if (!hit) {
        view.select(null);
        return;
      }
      view.select(hit.block);
      view.seekTo(hit.index);
    },
    { signal },
  );
  overlay.addEventListener('pointercancel', liftTouch, { signal });
  overlay.addEventListener(
    'dblclick',
    (event) => {
      const hit = matrixHit(event);
      if (!hit) return;
      viewport.showSpan(hit.block);
    },
    { signal },
  );
  overlay.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const box = overlay.getBoundingClientRect();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const pixels = (event.deltaY || event.deltaX) * unit;
      const { left, matrixWidth } = renderer.layout;
      const x = event.clientX - box.left;
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (sideways && x > left + matrixWidth) {
        trackPixels += pixels;
        const tracks = Math.trunc(trackPixels / WHEEL_PER_TRACK);
        trackPixels -= tracks * WHEEL_PER_TRACK;
        if (tracks !== 0) view.tracks.scroll(renderer.layout.tracksBefore + tracks);
      } else if (event.altKey || x < left || x > left + matrixWidth) {
        viewport.zoomSteps(1 / wheelZoom(pixels, event.ctrlKey), event.clientY - box.top);
      } else if (sideways) {
        const { tokens } = viewport.state;
        const byTokens = (pixels / matrixWidth) * (tokens.end - tokens.start);
        viewport.set({ tokens: panTokens(tokens, byTokens, view.run.cursor), autoTokens: false });
      } else {
        viewport.zoomTokens(wheelZoom(pixels, event.ctrlKey), pointerToken(event));
      }
      show(matrixHit(event));
    },
    { signal, passive: false },
  );
  range.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      viewport.zoomSteps(
        1 / wheelZoom(event.deltaY, event.ctrlKey),
        event.clientY - range.getBoundingClientRect().top,
      );
    },
    { signal, passive: false },
  );
  strip.addEventListener(
    'pointermove',
    (event) => {
      show(stripHit(event));
    },
    { signal },
  );
  strip.addEventListener(
    'click',
    (event) => {
      view.select(stripHit(event)?.block ?? null);
    },
    { signal },
  );
  for (const element of [overlay, strip]) {
    element.addEventListener(
      'pointerleave',
      () => {
        viewport.tellPointerToken(null);
        show(null);
      },
      { signal },
    );
  }
  return () => {
    controller.abort();
  };
}

/** The slider that moves a playhead, and where it stands in words. */
import { useRef } from 'react';
import { useRunView } from './hooks.ts';
import { useShownFrame } from './shown-frame.ts';

interface ScrubberProps {
  readonly label: string;
  readonly title?: string;
  /** What a place is called, for the slider's value and for the figures beside it. */
  readonly wordsOf: (index: number, count: number) => { readonly value: string; readonly figures: string };
}

/** The slider and its figures are written directly: the playhead may move sixty times a second. */
export function Scrubber({ label, title, wordsOf }: ScrubberProps) {
  const view = useRunView();
  const slider = useRef<HTMLInputElement>(null);
  const words = useRef<HTMLOutputElement>(null);
  useShownFrame(() => {
    if (!slider.current || !words.current) return;
    const count = view.run.frameCount;
    const index = view.shownIndex;
    const share = (at: number) => `${count > 1 ? (at / (count - 1)) * 100 : 0}%`;
    slider.current.max = String(Math.max(count - 1, 0));
    slider.current.value = String(Math.max(index, 0));
    slider.current.disabled = count === 0;
    slider.current.style.setProperty('--filled', share(Math.max(index, 0)));
    // The marked range as a band on the slider.
    const { range } = view.playhead.state;
    slider.current.style.setProperty('--range-from', share(range?.first ?? 0));
    slider.current.style.setProperty('--range-to', share(range?.last ?? 0));
    const { value, figures } = wordsOf(index, count);
    slider.current.setAttribute('aria-valuetext', value);
    words.current.textContent = figures;
  });
  return (
    <div className="scrubber" translate="no">
      <input
        ref={slider}
        type="range"
        min={0}
        defaultValue={0}
        step={1}
        aria-label={label}
        onInput={(event) => {
          view.seekTo(Number(event.currentTarget.value));
        }}
      />
      <output ref={words} className="tabular" title={title} />
    </div>
  );
}

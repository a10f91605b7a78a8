/** The tour's card: beside what it speaks of, never over the whole page; keys work on behind it. */
import { X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { IconButton } from '../../widgets/icon-button.tsx';
import type { TourProgress } from './tour-progress.ts';
import { type CardPlace, placeCard } from './place-card.ts';
import { TOUR_STEPS } from './tour-steps.ts';
import { useStore } from 'zustand';
import { useChordWords, useModel } from '../../view/hooks.ts';

interface TourProps {
  readonly progress: TourProgress;
}

export function Tour({ progress }: TourProps) {
  const at = useStore(progress.store, (state) => state.step);
  const step = at === null ? undefined : TOUR_STEPS[at];
  if (at === null || !step) return null;
  return <TourCard key={at} at={at} progress={progress} />;
}

function TourCard({ at, progress }: TourProps & { readonly at: number }) {
  const { shell } = useModel();
  const { title, text, target, mobileTab } = TOUR_STEPS[at]!;
  const chordWords = useChordWords();
  const card = useRef<HTMLDivElement>(null);
  const next = useRef<HTMLButtonElement>(null);
  const [place, setPlace] = useState<CardPlace | null>(null);
  const isLast = at === TOUR_STEPS.length - 1;

  useEffect(() => {
    shell.setState(
      target === '#chat-input'
        ? { mobileTab, rightTab: 'chat', rightOpen: true }
        : { mobileTab, ...(mobileTab === 'setup' && { leftOpen: true }) },
    );
    // An offered tour leaves the focus where it was; one that was asked for takes it, and so does its next step.
    if (progress.store.getState().started === 'asked') next.current?.focus();
  }, [mobileTab, target, shell, progress]);

  useLayoutEffect(() => {
    let shown: Element | null = null;
    let frame = 0;
    const follow = () => {
      const element = document.querySelector(target);
      if (element !== shown) {
        shown?.classList.remove('is-toured');
        element?.classList.add('is-toured');
        element?.scrollIntoView({ block: 'nearest' });
        shown = element;
      }
      if (card.current) {
        const { innerWidth: width, innerHeight: height } = window;
        const box = element?.getBoundingClientRect() ?? null;
        const { offsetWidth, offsetHeight } = card.current;
        const wanted = placeCard(box, { width: offsetWidth, height: offsetHeight }, { width, height });
        setPlace((now) => (now?.left === wanted.left && now.top === wanted.top ? now : wanted));
      }
    };
    follow();
    // The target may be on a panel that opens only now.
    frame = requestAnimationFrame(follow);
    addEventListener('resize', follow);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('resize', follow);
      shown?.classList.remove('is-toured');
    };
  }, [target]);

  useEffect(() => {
    // An offered tour has not the focus; Escape closes it wherever that is, unless something else takes the key.
    const onEscape = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      progress.close();
    };
    document.addEventListener('keydown', onEscape);
    return () => {
      document.removeEventListener('keydown', onEscape);
    };
  }, [progress]);

  const go = (to: number) => {
    if (to >= TOUR_STEPS.length) progress.close();
    else progress.goTo(Math.max(0, to));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowRight') go(at + 1);
    else if (event.key === 'ArrowLeft') go(at - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={card}
      className="tour"
      role="dialog"
      aria-label={`Tour, step ${at + 1} of ${TOUR_STEPS.length}: ${title}`}
      aria-describedby="tour-text"
      style={place ? { left: place.left, top: place.top } : { opacity: 0 }}
      onKeyDown={onKeyDown}
    >
      <header>
        <h2>{title}</h2>
        <IconButton
          icon={X}
          label="Close the tour"
          onClick={() => {
            progress.close();
          }}
        />
      </header>
      <p id="tour-text">{text((chord) => chordWords(chord).join(' '))}</p>
      <footer>
        <span className="muted tabular">
          {at + 1} / {TOUR_STEPS.length}
        </span>
        <span className="spacer" />
        {at > 0 && (
          <button
            type="button"
            className="button"
            onClick={() => {
              go(at - 1);
            }}
          >
            Back
          </button>
        )}
        <button
          ref={next}
          type="button"
          className="button primary"
          onClick={() => {
            go(at + 1);
          }}
        >
          {isLast ? 'Done' : 'Next'}
        </button>
      </footer>
    </div>
  );
}

/** A log that grows at its end: it follows while its end is in view, stands still while one reads above, and leads back. */
import { ArrowDown } from 'lucide-react';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

interface GrowingLogProps {
  readonly label: string;
  readonly className: string;
  /** Something is being written. */
  readonly busy: boolean;
  readonly children: ReactNode;
}

/** So near to the end one is reading the end. */
const NEAR_END_PIXELS = 32;

export function GrowingLog({ label, className, busy, children }: GrowingLogProps) {
  const log = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [isBehind, setIsBehind] = useState(false);
  const goToEnd = () => {
    follows.current = true;
    setIsBehind(false);
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  };

  // Who asks wants to see the answer, wherever they were reading.
  useLayoutEffect(() => {
    if (busy) follows.current = true;
  }, [busy]);
  useLayoutEffect(() => {
    if (follows.current && log.current) log.current.scrollTop = log.current.scrollHeight;
  });

  return (
    <div className="growing-log">
      <div
        ref={log}
        className={className}
        role="log"
        aria-live="polite"
        aria-busy={busy}
        aria-label={label}
        tabIndex={0}
        onScroll={({ currentTarget }) => {
          follows.current = isNearEnd(currentTarget);
          setIsBehind(!follows.current);
        }}
      >
        {children}
      </div>
      {isBehind && (
        <button type="button" className="button log-end" onClick={goToEnd}>
          <ArrowDown size={14} aria-hidden /> <span>To the end</span>
        </button>
      )}
    </div>
  );
}

function isNearEnd({
  scrollTop,
  clientHeight,
  scrollHeight,
}: Pick<Element, 'scrollTop' | 'clientHeight' | 'scrollHeight'>): boolean {
  return scrollHeight - clientHeight - scrollTop <= NEAR_END_PIXELS;
}

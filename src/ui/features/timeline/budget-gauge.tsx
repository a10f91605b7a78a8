/** How full the working context is at the shown step, against its budget and target band. */
import { useRef } from 'react';
import { useShownFrame } from '../../view/shown-frame.ts';
import { formatCount, formatPlural } from '../../words/format.ts';

export function BudgetGauge() {
  const bar = useRef<HTMLSpanElement>(null);
  const words = useRef<HTMLSpanElement>(null);
  const reach = useRef<HTMLSpanElement>(null);
  const meter = useRef<HTMLDivElement>(null);
  useShownFrame((frame) => {
    if (!bar.current || !words.current || !reach.current || !meter.current) return;
    const share = frame ? Math.min(frame.utilisation, 1) : 0;
    bar.current.style.width = `${share * 100}%`;
    meter.current.setAttribute('aria-valuenow', String(Math.round(share * 100)));
    words.current.textContent = frame
      ? `${formatCount(frame.usedTokens)} / ${formatCount(frame.budgetTokens)} slots`
      : 'empty';
    reach.current.textContent = frame
      ? `${formatPlural(frame.entryCount, 'block')} hold ${formatCount(frame.cursor)} tokens`
      : '';
  });
  return (
    <div className="budget" translate="no">
      <div
        className="gauge"
        ref={meter}
        role="meter"
        aria-label="Budget used"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={0}
        title="Budget used; the mark is at 80%, where the target band begins"
      >
        <span ref={bar} />
      </div>
      <span ref={words} className="tabular" />
      <span ref={reach} className="muted tabular budget-reach" />
    </div>
  );
}

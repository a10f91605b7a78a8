/** Tabs over one panel, of which one stands in the tab order: arrow keys, Home and End walk them and show what they reach. */
import { type KeyboardEvent, type ReactNode, useId } from 'react';

interface TabsProps<Id extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly id: Id; readonly title: string; readonly panel: ReactNode }[];
  readonly shown: Id;
  readonly onShow: (id: Id) => void;
}

export function Tabs<Id extends string>({ label, tabs, shown, onShow }: TabsProps<Id>) {
  const prefix = useId();
  const at = tabs.findIndex(({ id }) => id === shown);
  const onKeyDown = (event: KeyboardEvent) => {
    const reached = tabs[tabReached(event.key, at, tabs.length)];
    if (reached === undefined) return;
    event.preventDefault();
    onShow(reached.id);
    document.getElementById(`${prefix}-tab-${reached.id}`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label}>
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            id={`${prefix}-tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === shown}
            aria-controls={id === shown ? `${prefix}-panel` : undefined}
            tabIndex={id === shown ? 0 : -1}
            onClick={() => {
              onShow(id);
            }}
            onKeyDown={onKeyDown}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        className="tab-panel"
        role="tabpanel"
        id={`${prefix}-panel`}
        aria-labelledby={`${prefix}-tab-${shown}`}
      >
        {tabs[at]?.panel}
      </div>
    </>
  );
}

/** The tab that a key leads to, around the ends; -1 for keys that lead nowhere. */
export function tabReached(key: string, at: number, count: number): number {
  switch (key) {
    case 'ArrowLeft':
      return (at - 1 + count) % count;
    case 'ArrowRight':
      return (at + 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return -1;
  }
}

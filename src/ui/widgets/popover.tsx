/**
 * A button that opens a small panel under it. The browser's own popover: it lies over everything, modal dialogs too,
 * closes on Escape and on a click outside, and gives the focus back. Where it lies is in the stylesheet.
 */
import { type ReactNode, useId, useState } from 'react';

interface PopoverProps {
  readonly label: string;
  readonly button: ReactNode;
  readonly className?: string;
  readonly onOpen?: () => void;
  readonly children: (close: () => void) => ReactNode;
}

export function Popover({ label, button, className = '', onOpen, children }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  /** After a choice the focus goes to nobody, so that keys act on the page again; Escape gives it to the button. */
  const close = () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    document.getElementById(id)?.hidePopover();
  };
  return (
    <div
      className="popover-root"
      onKeyDown={(event) => {
        // The page has uses of its own for Escape; the browser closes the panel.
        if (event.key === 'Escape' && open) event.stopPropagation();
      }}
    >
      <button
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-expanded={open}
        popoverTarget={id}
      >
        {button}
      </button>
      {/* Focusable, because what is in it may be text alone and longer than the screen. */}
      <div
        id={id}
        popover="auto"
        className="popover"
        role="dialog"
        aria-label={label}
        tabIndex={0}
        onBeforeToggle={({ newState }) => {
          if (newState === 'open') onOpen?.();
          setOpen(newState === 'open');
        }}
      >
        {open && children(close)}
      </div>
    </div>
  );
}

/** A modal dialog on the browser's own element: focus trap, Escape and the backdrop come with it. */
import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { IconButton } from './icon-button.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, className = '', children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
    // Opening moves the focus to the first button, which closes: not where a dialog has a field to type in.
    element.current?.querySelector<HTMLElement>('[data-first-focus]')?.focus();
  }, []);
  return (
    <dialog
      ref={element}
      className={`dialog ${className}`}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === element.current) element.current.close();
      }}
    >
      <header className="dialog-header">
        <h2>{title}</h2>
        <IconButton icon={X} label="Close" onClick={() => element.current?.close()} />
      </header>
      {children}
    </dialog>
  );
}

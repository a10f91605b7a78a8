/** A button that shows an icon and says its name to assistive technology and on hover. */
import type { LucideIcon } from 'lucide-react';

export interface IconButtonProps {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  /** Why it cannot be pressed; null or absent where it can. */
  readonly why?: string | null;
  readonly pressed?: boolean;
  readonly className?: string;
  /** Shown beside the icon. */
  readonly text?: string;
}

export function IconButton({
  icon: Icon,
  label,
  onClick,
  disabled,
  why = null,
  pressed,
  className = '',
  text,
}: IconButtonProps) {
  return (
    <button
      type="button"
      className={`icon-button ${className}`}
      aria-label={text === undefined ? label : undefined}
      title={why === null ? label : `${label}: ${why}`}
      onClick={onClick}
      disabled={why !== null || disabled}
      aria-pressed={pressed}
    >
      <Icon size={16} aria-hidden />
      {text !== undefined && <span>{text}</span>}
    </button>
  );
}

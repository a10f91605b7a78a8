/** One click from one window to four heads on the same input, or from several heads to one window. */
import { Columns2 } from 'lucide-react';
import { CommandButton } from './command-button.tsx';

interface CompareHeadsButtonProps {
  /** How many the session has. */
  readonly heads: number;
  /** Why it cannot be pressed; null where it can. */
  readonly why?: string | null;
}

export function CompareHeadsButton({ heads, why = null }: CompareHeadsButtonProps) {
  return (
    <CommandButton
      id="compare-heads"
      icon={Columns2}
      text={heads === 1 ? 'Compare with four heads' : 'Compare with one window'}
      why={why}
    />
  );
}

/** An icon button that runs a command and names its key. */
import { IconButton, type IconButtonProps } from '../widgets/icon-button.tsx';
import { useChordWords, useCommands } from './hooks.ts';

interface CommandButtonProps extends Omit<IconButtonProps, 'onClick' | 'label'> {
  readonly id: string;
  /** Instead of the command's title. */
  readonly label?: string;
}

export function CommandButton({ id, ...rest }: CommandButtonProps) {
  const chordWords = useChordWords();
  const command = useCommands().of(id);
  const key = command.keys[0];
  const label = rest.label ?? command.title;
  return (
    <IconButton
      {...rest}
      label={key ? `${label} (${chordWords(key).join(' ')})` : label}
      onClick={command.run}
    />
  );
}

/** The commands that act on the page's furniture: panels, theme, and the dialogs that belong to no feature. */
import type { CommandEntry } from '../commands/commands.ts';
import { type Shell, resolvedTheme } from '../model/shell.ts';

export function pageCommands(shell: Shell): readonly CommandEntry[] {
  return [
    {
      id: 'chat',
      title: 'Go to the chat',
      group: 'Page',
      keys: ['q'],
      run: () => {
        shell.setState({ rightOpen: true, rightTab: 'chat', mobileTab: 'chat' });
        requestAnimationFrame(() => document.getElementById('chat-input')?.focus());
      },
    },
    {
      id: 'palette',
      title: 'Find a command',
      group: 'Page',
      keys: ['Mod+k'],
      run: () => {
        shell.setState({ dialog: 'palette' });
      },
    },
    {
      id: 'sessions',
      title: 'All sessions: find, rename, tag, duplicate, delete',
      group: 'Page',
      keys: ['Shift+O'],
      run: () => {
        shell.setState({ dialog: 'sessions' });
      },
    },
    {
      id: 'definitions',
      title: 'Definitions of the page’s words',
      group: 'Page',
      keys: [],
      run: () => {
        shell.setState({ dialog: null, definition: 'all' });
      },
    },
    {
      id: 'help',
      title: 'Keys and gestures',
      group: 'Page',
      keys: ['?'],
      run: () => {
        shell.setState({ dialog: 'help' });
      },
    },
    {
      id: 'theme',
      title: 'Light or dark',
      group: 'Page',
      keys: [],
      run: () => {
        shell.setState(({ theme }) => ({ theme: resolvedTheme(theme) === 'dark' ? 'light' : 'dark' }));
      },
    },
    {
      id: 'left-panel',
      title: 'Show or hide the setup panel',
      group: 'Page',
      keys: ['Mod+b'],
      run: () => {
        shell.setState(({ leftOpen }) => ({ leftOpen: !leftOpen }));
      },
    },
    {
      id: 'right-panel',
      title: 'Show or hide the chat panel',
      group: 'Page',
      keys: ['Mod+j'],
      run: () => {
        shell.setState(({ rightOpen }) => ({ rightOpen: !rightOpen }));
      },
    },
  ];
}

/** What opens the model manager. */
import type { Registry } from '../../commands/registry.ts';

export function registerModels({ model, commands }: Pick<Registry, 'model' | 'commands'>): void {
  commands.register({
    id: 'models',
    title: 'Models: choose, fetch, delete',
    group: 'Page',
    keys: [],
    run: () => {
      model.shell.setState({ dialog: 'models' });
    },
  });
}

/** What looking at an evaluation's questions adds to the commands. */
import type { Registry } from '../../commands/registry.ts';

export function registerRecords({ model: { questions }, commands }: Registry): void {
  commands.register(
    {
      id: 'next-question',
      title: 'Show the next listed question of an evaluation',
      group: 'Page',
      keys: [],
      run: () => {
        void questions.chooseNeighbour(1);
      },
    },
    {
      id: 'previous-question',
      title: 'Show the previous listed question of an evaluation',
      group: 'Page',
      keys: [],
      run: () => {
        void questions.chooseNeighbour(-1);
      },
    },
  );
}

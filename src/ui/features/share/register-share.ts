/** What sharing adds to the page: links, files of the shown run, and recordings to open. */
import type { Registry } from '../../commands/registry.ts';
import { copyLink } from './address-sync.ts';
import { saveRun, saveSession } from './export-actions.ts';
import { createTracePicker } from './open-trace.ts';
import { PageLink } from './page-link.ts';

export function registerShare({ model, commands }: Registry): PageLink {
  const pageLink = new PageLink(model);
  const exports = [
    { id: 'export-trace', title: 'Save the trace as a file', format: 'trace' },
    { id: 'export-trace-gzip', title: 'Save the trace as a zipped file', format: 'trace-gzip' },
    { id: 'export-csv', title: 'Save the metrics of every step as CSV', format: 'csv' },
    {
      id: 'export-chrome-trace',
      title: 'Save the run for Perfetto (Chrome trace JSON)',
      format: 'chrome-trace',
    },
  ] as const;
  commands.register(
    ...exports.map(({ id, title, format }) => ({
      id,
      title,
      group: 'Session' as const,
      keys: [],
      run: () => {
        void saveRun(format, model);
      },
    })),
    {
      id: 'export-session',
      title: 'Save the session as a file (.ctx)',
      group: 'Session',
      keys: [],
      run: () => {
        void saveSession(model);
      },
    },
    {
      id: 'copy-link',
      title: 'Copy a link to this view',
      group: 'Session',
      keys: ['Mod+Shift+L'],
      run: () => {
        void copyLink(model, pageLink);
      },
    },
    {
      id: 'open-trace',
      title: 'Open a session or trace file',
      group: 'Session',
      keys: ['Mod+o'],
      run: createTracePicker(model),
    },
    {
      id: 'close-recording',
      title: 'Back from a recording to the live session',
      group: 'Session',
      keys: [],
      run: () => {
        model.recordings.close();
      },
    },
  );
  return pageLink;
}

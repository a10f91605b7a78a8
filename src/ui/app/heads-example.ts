/** The recorded example with four heads: it plays without a model. */
import type { CommandEntry } from '../commands/commands.ts';
import type { Model } from '../model/model.ts';

const TRACE_FILE = 'four-heads.trace.jsonl.gz';

export function headsExampleCommand({ recordings, problems }: Model): CommandEntry {
  return {
    id: 'heads-example',
    title: 'Play the recorded example with four heads',
    group: 'Playback',
    keys: [],
    run: () => {
      fetchTrace()
        .then((file) => recordings.open(file))
        .catch((error: unknown) => {
          problems.reportError('The recorded example could not be loaded', error);
        });
    },
  };
}

async function fetchTrace(): Promise<File> {
  const response = await fetch(`./examples/${TRACE_FILE}`);
  if (!response.ok) throw new Error(`${TRACE_FILE} answered ${response.status}.`);
  return new File([await response.blob()], TRACE_FILE);
}

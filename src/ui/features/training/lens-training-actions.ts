/** What a user can do about a session's LensNet, each in one function. */
import type { LensTrainingRequest } from '../../../runtime/engine/protocol/protocol.ts';
import { attempt } from '../../model/engine-session.ts';
import { report } from '../../model/problem-store.ts';
import { useShell } from '../../app/shell-store.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { formatCompact } from '../../words/format.ts';
import { acceptLensReport } from './lens-training-store.ts';

const LARGEST_BYTES = 256 * 2 ** 20;

const FAILURES: Readonly<Record<LensTrainingRequest['action'], string>> = {
  status: 'The state of training could not be read',
  start: 'Training could not start',
  pause: 'Training could not be paused',
  resume: 'Training could not go on',
  discard: 'The run could not be discarded',
  keep: 'The trained LensNet could not be kept',
  useShipped: 'The model’s own LensNet could not be brought back',
  import: 'The weights were not taken',
};

export function openLensTraining(): void {
  useShell.setState({ dialog: 'lens-training' });
}

export async function requestLens(request: LensTrainingRequest): Promise<void> {
  const answer = await attempt(FAILURES[request.action], { kind: 'lensTraining', request });
  if (answer) acceptLensReport(answer);
}

export async function importLens(file: File): Promise<void> {
  if (file.size > LARGEST_BYTES) {
    report({
      title: FAILURES.import,
      message: `${file.name} has ${formatCompact(file.size)} bytes; a LensNet has far fewer.`,
      kept: 'The LensNet in use is unchanged.',
      tryNext: 'Choose a LensNet that was exported for this model.',
      tone: 'error',
    });
    return;
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  await requestLens({ action: 'import', fileName: file.name, bytes });
}

export async function exportLens(): Promise<void> {
  const exported = await attempt('The weights could not be exported', { kind: 'exportLens' });
  if (exported) saveFile(exported.fileName, exported.file);
}

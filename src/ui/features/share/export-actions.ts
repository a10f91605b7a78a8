/** Saves the shown run as a file, in each format, and the session with all that belongs to it. */
import { convertTraceFile } from '../../../runtime/engine/client-traces.ts';
import type { ExportFormat } from '../../../runtime/engine/protocol/protocol.ts';
import type { Model } from '../../model/model.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { fileNameOf } from '../../words/file-name.ts';

/** Save the shown run; a recording is written again from its own file. */
export async function saveRun(format: ExportFormat, { engine, recordings, problems }: Model): Promise<void> {
  const { recording } = recordings.state;
  try {
    const { fileName, file } = recording
      ? await convertTraceFile(recording.file, fileNameOf(recording.fileName), format)
      : await engine.send({ kind: 'exportTrace', format });
    saveFile(fileName, file);
  } catch (error) {
    problems.reportError('The run could not be exported', error);
  }
}

/** Save the open session, its text, chat, marks and parameters included. */
export async function saveSession({ actions }: Model): Promise<void> {
  const saved = await actions.sessionFile();
  if (saved) saveFile(saved.fileName, saved.file);
}

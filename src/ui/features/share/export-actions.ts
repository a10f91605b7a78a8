/** Saves what the page shows as files: the run in each format, the timeline as a picture. */
import { convertTraceFile } from '../../../runtime/engine/client-traces.ts';
import type { ExportFormat } from '../../../runtime/engine/protocol/protocol.ts';
import { currentRun } from '../../model/current-run.ts';
import { send } from '../../model/engine-session.ts';
import { shownIndex } from '../../model/shown-frame.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { report, reportError } from '../../model/problem-store.ts';
import { useRecording } from './recording-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useView } from '../../model/view-store.ts';
import { readPalette } from '../timeline/palette.ts';
import { formatCount } from '../../words/format.ts';
import { drawPicture, type PictureScene, pictureSize } from './draw-picture.ts';
import { shownTimelineLayout } from './shown-layout.ts';
import { SvgSurface } from './svg-surface.ts';

/** Save the shown run; a recording is written anew from its own file. */
export async function saveRun(format: ExportFormat): Promise<void> {
  const { recording } = useRecording.getState();
  try {
    const { fileName, file } = recording
      ? await convertTraceFile(recording.file, nameOf(recording.fileName), format)
      : await send({ kind: 'exportTrace', format });
    saveFile(fileName, file);
  } catch (error) {
    reportError('The run could not be exported', error);
  }
}

/** Twice the screen's resolution, so that a picture stands up to print. */
const PNG_SCALE = 2;

export async function savePicture(format: 'png' | 'svg'): Promise<void> {
  const scene = sceneOfView();
  if (scene === null) {
    report({
      title: 'There is no picture to save yet',
      message: 'The timeline has not been drawn, or holds no refocus step.',
      kept: 'Nothing was changed.',
      tryNext: 'Add a document or open a trace, show the timeline, then save its picture.',
      tone: 'info',
    });
    return;
  }
  const { width, height } = pictureSize(scene.layout);
  const fileName = `${nameOf(scene.title)}-step-${currentRun.frameAt(scene.shownIndex)?.step ?? 0}.${format}`;
  if (format === 'svg') {
    const surface = new SvgSurface(width, height);
    drawPicture(surface, scene);
    const svg = surface.toSvg(scene.title, scene.subtitle);
    saveFile(fileName, new Blob([svg], { type: 'image/svg+xml' }));
    return;
  }
  const canvas = document.createElement('canvas');
  canvas.width = width * PNG_SCALE;
  canvas.height = height * PNG_SCALE;
  const context = canvas.getContext('2d')!;
  context.scale(PNG_SCALE, PNG_SCALE);
  drawPicture(context, scene);
  const file = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
  if (file) saveFile(fileName, file);
  else reportError('The picture could not be saved', new Error('This browser did not encode the PNG.'));
}

function sceneOfView(): PictureScene | null {
  const layout = shownTimelineLayout();
  const index = shownIndex();
  const frame = currentRun.frameAt(index);
  if (!layout || !frame) return null;
  const { tokens, steps, colourBy, selection } = useView.getState();
  const { session, provenance, boot } = useSession.getState();
  const { recording } = useRecording.getState();
  const model = recording?.header.modelId ?? boot?.model.id ?? 'unknown model';
  return {
    trace: currentRun,
    layout,
    tokens,
    steps,
    colourBy,
    shownIndex: index,
    selection,
    provenance: recording?.provenance ?? provenance,
    palette: readPalette(document.documentElement),
    title: recording ? recording.fileName : (session?.record.title ?? 'Run'),
    subtitle:
      `Step ${formatCount(frame.step)} · ${formatCount(frame.cursor)} tokens of history · ` +
      `${formatCount(frame.usedTokens)} of ${formatCount(frame.budgetTokens)} in the working context · ` +
      `policy ${frame.policy} · model ${model}`,
  };
}

/** A title or file name as part of another file's name. */
function nameOf(title: string): string {
  const name = title
    .replace(/(-trace)?\.jsonl(\.gz)?$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return name || 'timeline';
}

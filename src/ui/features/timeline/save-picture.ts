/** Saves the timeline as it is shown as a picture. */
import type { Model } from '../../model/model.ts';
import { fileNameOf } from '../../words/file-name.ts';
import { formatCount } from '../../words/format.ts';
import { readPalette } from '../../view/palette.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { drawPicture, type PictureScene, pictureSize } from './draw-picture.ts';
import type { TimelineLayout } from './frame-layout.ts';
import { SvgSurface } from './svg-surface.ts';

/** Twice the screen's resolution, so that a picture stands up to print. */
const PNG_SCALE = 2;

export async function savePicture(
  format: 'png' | 'svg',
  model: Model,
  layout: TimelineLayout | null,
): Promise<void> {
  const { problems } = model;
  const scene = sceneOf(model, layout);
  if (scene === null) {
    problems.report({
      title: 'There is no picture to save yet',
      message: 'The timeline has not been drawn, or holds no refocus step.',
      kept: 'Nothing was changed.',
      tryNext: 'Add a document or open a trace, show the timeline, then save its picture.',
      tone: 'info',
    });
    return;
  }
  const { width, height } = pictureSize(scene.layout);
  const fileName = `${fileNameOf(scene.title)}-step-${scene.run.frameAt(scene.shownIndex)?.step ?? 0}.${format}`;
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
  else
    problems.reportError('The picture could not be saved', new Error('This browser did not encode the PNG.'));
}

function sceneOf(model: Model, layout: TimelineLayout | null): PictureScene | null {
  const { view, mirror, recordings } = model;
  const { run, shownIndex } = view;
  const frame = run.frameAt(shownIndex);
  if (!layout || !frame) return null;
  const { tokens, steps, colourBy, selection } = view.viewport.state;
  const { session, boot } = mirror.getState();
  const { recording } = recordings.state;
  const modelId = recording?.header.modelId ?? boot?.model.id ?? 'unknown model';
  return {
    run,
    layout,
    tokens,
    steps,
    colourBy,
    shownIndex,
    selection,
    provenance: view.source.provenance,
    gold: view.source.gold ?? [],
    palette: readPalette(document.documentElement),
    title: recording ? recording.fileName : (session?.record.title ?? 'Run'),
    subtitle:
      `Step ${formatCount(frame.step)} · ${formatCount(frame.cursor)} tokens of history · ` +
      `${formatCount(frame.usedTokens)} of ${formatCount(frame.budgetTokens)} in the working context · ` +
      `policy ${frame.policy} · model ${modelId}`,
  };
}

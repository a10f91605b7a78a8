/** An exported picture holds every mark that the screen draws, and is well-formed whatever the words in it are. */
import { expect, it } from 'vitest';
import { Run } from '../../model/run.ts';
import { recordingSurface } from '../../widgets/testing/recording-surface.ts';
import type { Palette } from '../../view/palette.ts';
import { METRIC_TRACKS } from './metric-tracks.ts';
import { drawPicture, pictureSize, type PictureScene } from './draw-picture.ts';
import { SvgSurface } from './svg-surface.ts';

const palette: Palette = {
  lod: ['lod0', 'lod1', 'lod2', 'lod3', 'lod4'],
  score: Array.from({ length: 9 }, (_, i) => `score${i}`),
  stage: Array.from({ length: 6 }, (_, i) => `stage${i}`),
  background: 'background',
  empty: 'empty',
  grid: 'grid',
  band: 'band',
  text: 'text',
  muted: 'muted',
  accent: 'accent',
  line: 'line',
  glyph: 'glyph',
  glyphEdge: 'glyphEdge',
  evict: 'evict',
  user: 'user',
  assistant: 'assistant',
};

function scene(): PictureScene {
  const trace = new Run();
  trace.append(
    Array.from({ length: 12 }, (_, i) => i + 1).map((step) => ({
      type: 'refocus' as const,
      head: 0,
      step,
      timeMs: step,
      cursor: 64,
      policy: 'lensnet',
      windowStart: 0,
      usedTokens: 33,
      budgetTokens: 64,
      entryCount: 2,
      layout: {
        kind: 'keyframe' as const,
        entries: [
          [1, 0, 32],
          [0, 32, 64],
        ] as [number, number, number][],
      },
      scores: [0.4, -0.4],
      actions: [],
      swapRate: 0.1,
      utilisation: 0.5,
      meanResidency: 1,
      coherence: null,
      trigger: 'block' as const,
    })),
  );
  return {
    run: trace,
    layout: {
      width: 900,
      height: 200,
      left: 48,
      matrixWidth: 500,
      tracks: METRIC_TRACKS.slice(0, 6).map((track, i) => ({
        track,
        x: 556 + i * 54,
        width: 46,
        pinned: false,
      })),
      tracksBefore: 0,
      tracksBehind: 0,
    },
    tokens: { start: 0, end: 64 },
    steps: { top: 0, rowHeight: 14 },
    colourBy: 'lod',
    shownIndex: 8,
    selection: { lod: 1, start: 0, end: 32 },
    gold: [{ start: 96, end: 110 }],
    provenance: [{ start: 0, end: 64, role: 'document', documentId: 'd', title: 'd', wallClockMs: 0 }],
    palette,
    title: 'Harbour & <"chronicle">\u0000\ud800',
    subtitle: 'step 3',
  };
}

function svgOf(given: PictureScene): string {
  const { width, height } = pictureSize(given.layout);
  const surface = new SvgSurface(width, height);
  drawPicture(surface, given);
  return surface.toSvg(given.title, given.subtitle);
}

it('writes every rectangle that a canvas would get, at the same place and in the same order', () => {
  const given = scene();
  const { surface, calls } = recordingSurface();
  drawPicture(surface, given);
  const drawn = calls.filter((call) => call.startsWith('fillRect')).map((call) => call.split(' '));
  const svg = svgOf(given);
  const written = [...svg.matchAll(/<path fill="(?!none)(\w+)"[^>]* d="([^"]*)"/g)].flatMap(([, colour, d]) =>
    [...d!.matchAll(/M[-\d.]+ [-\d.]+h([-\d.]+)v([-\d.]+)h[-\d.]+Z/g)].map(([, width, height]) => [
      colour,
      width,
      height,
    ]),
  );
  expect(written.length).toBeGreaterThan(40);
  expect(written).toEqual(drawn.map(([, colour, , , width, height]) => [colour, width, height]));
});

it('is well-formed: groups closed, text escaped, both axes and all tracks named', () => {
  const svg = svgOf(scene());
  expect(svg.match(/<g /g)?.length).toBe(svg.match(/<\/g>/g)?.length);
  expect(svg).toContain('Harbour &amp; &lt;&quot;chronicle&quot;&gt;</text>');
  expect(svg).not.toMatch(/undefined|NaN|\u0000/);
  for (const { track } of scene().layout.tracks) expect(svg).toContain(`>${track.label}</text>`);
  expect([...svg.matchAll(/text-anchor="end"[^>]*>(\d+)<\/text>/g)].map(([, step]) => step)).toContain('10');
  expect(svg).toMatch(/text-anchor="middle"[^>]*>10<\/text>/);
  expect(svg).toMatch(/<clipPath id="clip-1"><path d="M68 \d+h/);
});

it('draws whole turns, curves and lines where the canvas does', () => {
  const surface = new SvgSurface(10, 10);
  surface.translate(1, 2);
  surface.beginPath();
  surface.arc(4, 4, 2, 0, 2 * Math.PI);
  surface.closePath();
  surface.globalAlpha = 0.5;
  surface.fill();
  surface.beginPath();
  surface.moveTo(0, 0);
  surface.bezierCurveTo(1, 1, 2, 2, 3, 3);
  surface.stroke();
  const svg = surface.toSvg('', '');
  expect(svg).toContain('fill-opacity="0.5" d="M7 6A2 2 0 0 1 3 6A2 2 0 0 1 7 6Z"');
  expect(svg).toContain('stroke-opacity="0.5" d="M1 2C2 3 3 4 4 5"');
});

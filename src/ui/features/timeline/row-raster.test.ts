import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowRaster } from './row-raster.ts';
import { type Row, clampSteps, scrollRows, visibleRows } from '../../model/step-axis.ts';

function rasterOf(width: number, height: number, ratio = 1) {
  const raster = new RowRaster(Number);
  raster.fit(width, height, ratio);
  raster.open(0, width);
  const rows = () =>
    Array.from({ length: height * ratio }, (_, y) =>
      raster.pixels.slice(y * width * ratio, (y + 1) * width * ratio).join(''),
    );
  return { raster, rows };
}

it('fills whole pixels, later over earlier, and nothing outside', () => {
  const { raster, rows } = rasterOf(6, 3);
  raster.fillStyle = '1';
  raster.fillRect(-2, -1, 5.4, 2);
  raster.fillStyle = '2';
  raster.fillRect(2.6, 0, 40, 9);
  raster.fillRect(9, 0, 4, 4);
  raster.fillRect(-4, 0, 3, 4);
  expect(rows()).toEqual(['111222', '000222', '000222']);
});

it('keeps the thinnest box visible, in device pixels', () => {
  const { raster, rows } = rasterOf(3, 1, 2);
  raster.fillStyle = '7';
  raster.fillRect(1, 0, 0.1, 0.1);
  expect(rows()).toEqual(['007000', '000000']);
});

it('draws one band anew and leaves the others, in the same memory until the size changes', () => {
  const { raster, rows } = rasterOf(6, 1);
  raster.fillStyle = '3';
  raster.fillRect(0, 0, 6, 1);
  const { pixels } = raster;
  raster.fit(6, 1, 1);
  raster.open(2, 3);
  raster.fillStyle = '4';
  raster.fillRect(-9, 0, 10, 1);
  expect(rows()).toEqual(['334003']);
  raster.open(5, 1, 0);
  raster.fillRect(4, 0, 9, 1);
  expect(rows()).toEqual(['334004']);
  expect(raster.pixels).toBe(pixels);
  raster.fit(7, 1, 1);
  expect(raster.pixels).not.toBe(pixels);
});

it('scrolls what is drawn and draws only what moved in', () => {
  const { raster, rows } = rasterOf(2, 4);
  for (let y = 0; y < 4; y++) {
    raster.fillStyle = String(y + 1);
    raster.fillRect(0, y, 2, 1);
  }
  expect(raster.scroll(-1)).toBe(true);
  raster.open(0, 2, 0, 3);
  raster.fillStyle = '5';
  raster.fillRect(0, 0, 2, 9);
  expect(rows()).toEqual(['22', '33', '44', '55']);
  expect(raster.scroll(3)).toBe(true);
  raster.open(0, 2, 0, 0, 3);
  expect(rows()).toEqual(['00', '00', '00', '22']);
  expect(raster.scroll(9)).toBe(true);
  expect(raster.scroll(0.5)).toBe(false);
});

it('scrolled rows are those of a drawing from scratch', () => {
  const height = 40;
  const draw = (raster: RowRaster, rows: readonly Row[]) => {
    for (const row of rows) {
      raster.fillStyle = String(row.index + 1);
      raster.fillRect(0, row.y, 1, row.height);
    }
  };
  let reused = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 200, noNaN: true }), fc.nat(3)), {
        minLength: 2,
        maxLength: 8,
      }),
      fc.constantFrom(0.3, 1, 1.7, 3, 9),
      (moves, rowHeight) => {
        const { raster } = rasterOf(1, height);
        let before: readonly Row[] = [];
        let count = 150;
        for (const [top, grown] of moves) {
          count += grown;
          const rows = visibleRows(clampSteps({ top, rowHeight }, count, height), count, height);
          const scrolled = scrollRows(before, rows, height);
          if (scrolled && raster.scroll(scrolled.byPixels)) {
            reused++;
            raster.open(0, 1, 0, scrolled.from, scrolled.to);
            draw(raster, scrolled.rows);
          } else {
            raster.open(0, 1);
            draw(raster, rows);
          }
          const { raster: whole } = rasterOf(1, height);
          draw(whole, rows);
          expect(raster.pixels).toEqual(whole.pixels);
          before = rows;
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(reused).toBeGreaterThan(50);
});

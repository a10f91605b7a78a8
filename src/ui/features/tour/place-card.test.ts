import fc from 'fast-check';
import { expect, it } from 'vitest';
import { placeCard } from './place-card.ts';

const card = { width: 300, height: 160 };
const page = { width: 1440, height: 900 };

it('stands below its target, else above, else beside, else within', () => {
  expect(placeCard({ left: 600, top: 100, width: 200, height: 50 }, card, page)).toEqual({
    left: 550,
    top: 162,
  });
  expect(placeCard({ left: 0, top: 840, width: 1440, height: 60 }, card, page)).toEqual({
    left: 570,
    top: 668,
  });
  expect(placeCard({ left: 0, top: 50, width: 280, height: 800 }, card, page).left).toBe(292);
  expect(placeCard({ left: 1100, top: 50, width: 340, height: 800 }, card, page).left).toBe(788);
  expect(placeCard(null, card, page)).toEqual({ left: 1128, top: 728 });
});

it('never leaves a page that has room for it', () => {
  const at = fc.integer({ min: -500, max: 2000 });
  const size = fc.integer({ min: 0, max: 2000 });
  fc.assert(
    fc.property(at, at, size, size, (left, top, width, height) => {
      const place = placeCard({ left, top, width, height }, card, page);
      expect(place.left).toBeGreaterThanOrEqual(0);
      expect(place.top).toBeGreaterThanOrEqual(0);
      expect(place.left + card.width).toBeLessThanOrEqual(page.width);
      expect(place.top + card.height).toBeLessThanOrEqual(page.height);
    }),
  );
});

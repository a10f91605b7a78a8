/** The pace that is reached, not the one that was asked for. */
import { expect, it } from 'vitest';
import { PaceMeter } from './pace-meter.ts';

it('measures over the last seconds, and anew after a pause', () => {
  const meter = new PaceMeter();
  meter.read(0, 0, true);
  meter.read(320, 500, true);
  expect(meter.tokensPerSecond).toBeNull();
  meter.read(840, 2000, true);
  expect(meter.tokensPerSecond).toBe(420);
  for (let second = 3; second <= 12; second++) meter.read(840 + (second - 2) * 100, second * 1000, true);
  expect(meter.tokensPerSecond).toBe(100);
  meter.read(1840, 13_000, false);
  meter.read(1840, 20_000, true);
  expect(meter.tokensPerSecond).toBeNull();
  meter.read(32, 22_000, true);
  expect(meter.tokensPerSecond).toBeNull();
});

import { expect, it } from 'vitest';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { BlockReport } from '../../../runtime/engine/protocol/protocol.ts';
import { stagedReport } from './staged-report.ts';

const layout: readonly LayoutEntry[] = [
  [1, 0, 32],
  [0, 32, 64],
];
const legal = { legal: true, why: '' };
const report = (lod: number, start: number, end: number) =>
  ({
    lod,
    start,
    end,
    inWorkingContext: true,
    currentLod: 0,
    cooldownLeft: 2,
    canExpand: legal,
    canCollapse: legal,
    text: 'the first head’s',
  }) as BlockReport;

it('says where staging has a block, not the head that was asked, and that nothing is moved there', () => {
  expect(stagedReport(report(1, 0, 32), layout)).toMatchObject({
    inWorkingContext: true,
    currentLod: 1,
    cooldownLeft: 0,
    canExpand: { legal: false, why: expect.stringContaining('show a head') as string },
    canCollapse: { legal: false },
    text: 'the first head’s',
  });
  expect(stagedReport(report(1, 32, 64), layout)).toMatchObject({ inWorkingContext: false, currentLod: 0 });
  expect(stagedReport(report(0, 64, 96), layout)).toMatchObject({
    inWorkingContext: false,
    currentLod: null,
  });
});

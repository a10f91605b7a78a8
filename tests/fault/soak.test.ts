/** Long work with one engine on real weights leaves nothing behind. The figures: `npm run soak`. */
import { expect, it } from 'vitest';
import { soakEngine } from '../../src/runtime/testing/engine-soak.ts';
import { openModel } from '../../tools/open-model.ts';
import { SoakLedger } from '../../tools/soak-ledger.ts';

const REFOCUSES = process.env['FULL_TEST'] === '1' ? 10_000 : 1000;

it(
  'fault 15: 1,000 refocuses with saves, exports, seeks and branches leave tensors and memory as they were',
  async () => {
    const ledger = new SoakLedger();
    await soakEngine({
      loadModel: () => openModel('tiny', 'wasm'),
      refocuses: REFOCUSES,
      charactersPerSession: 8000,
      onRound: (round) => ledger.enter(round),
    });
    expect(ledger.lines.length).toBeGreaterThan(3);
    expect(ledger.lines.at(-1)!.refocuses).toBeGreaterThanOrEqual(REFOCUSES);
    expect(ledger.complaints()).toEqual([]);
  },
  600_000 + REFOCUSES * 300,
);

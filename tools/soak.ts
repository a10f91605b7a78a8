/** `npm run soak`: works with one engine for a long time, and exits with 1 if tensors or memory grow. */
import { parseArgs } from 'node:util';
import { soakEngine } from '../src/runtime/testing/engine-soak.ts';
import { openModel } from './open-model.ts';
import { SoakLedger } from './soak-ledger.ts';
import { helpIfAsked } from './help.ts';

helpIfAsked(`npm run soak -- [--refocuses 10000] [--model ID] [--backend wasm|cpu]
  prints what the engine holds after each tenth`);
const { values } = parseArgs({
  options: {
    refocuses: { type: 'string', default: '10000' },
    model: { type: 'string', default: 'tiny' },
    backend: { type: 'string', default: 'wasm' },
  },
});
const refocuses = Number(values.refocuses);
const { backend } = values;
if (!Number.isInteger(refocuses) || refocuses < 1 || (backend !== 'wasm' && backend !== 'cpu')) {
  console.error('--refocuses takes a whole number from 1, --backend wasm or cpu.');
  process.exit(2);
}

const ledger = new SoakLedger();
let printed = 0;
await soakEngine({
  loadModel: () => openModel(values.model, backend),
  refocuses,
  charactersPerSession: 8000,
  onRound: (round) => {
    const line = ledger.enter(round);
    if (round.refocuses < printed) return;
    printed += refocuses / 10;
    const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
    console.log(
      `${String(line.refocuses).padStart(6)} refocuses: ${line.tensors} tensors, ${line.buffers} buffers, ${megabytes(line.heapBytes)} heap, ${megabytes(line.externalBytes)} outside it`,
    );
  },
});
const complaints = ledger.complaints();
for (const complaint of complaints) console.error(complaint);
process.exit(complaints.length > 0 ? 1 : 0);

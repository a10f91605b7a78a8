/**
 * A fake model whose base attends by the definition: the letters x, y and z are keys of their own and every other
 * token is none. The first head finds the letters that its token is, the second finds nothing.
 */
import type { DecodeSession, LoadedModel } from '../../nn/ports.ts';
import { createFakeModel, FAKE_HIDDEN_SIZE } from './fake-model.ts';

const LETTERS = 'xyz';
/** Sharp enough that a head's attention lies on what matches. */
const QUERY_LENGTH = 12;
const HEADS = 2;

export function createMatchingModel(): LoadedModel {
  const model = createFakeModel();
  const embed = (ids: ArrayLike<number>): Float32Array => {
    const rows = new Float32Array(ids.length * FAKE_HIDDEN_SIZE);
    for (let i = 0; i < ids.length; i++) {
      const letter = LETTERS.indexOf(String.fromCharCode(ids[i]!));
      if (letter >= 0) rows[i * FAKE_HIDDEN_SIZE + letter] = 1;
    }
    return rows;
  };
  const createDecodeSession = (capacitySlots: number): DecodeSession => {
    const session = model.base.createDecodeSession(capacitySlots);
    return Object.assign(Object.create(session) as DecodeSession, {
      appendForHeads: async (embeddings: Float32Array, positions: Float64Array) => {
        await session.appendForHeads(embeddings, positions);
        const queries = new Float32Array(HEADS * embeddings.length);
        for (let i = 0; i < embeddings.length; i++) {
          const [token, j] = [Math.floor(i / FAKE_HIDDEN_SIZE), i % FAKE_HIDDEN_SIZE];
          queries[token * HEADS * FAKE_HIDDEN_SIZE + j] = QUERY_LENGTH * embeddings[i]!;
        }
        return { keys: [embeddings.slice()], queries: [queries] };
      },
    });
  };
  const attention = { heads: HEADS, kvHeads: 1, headDim: FAKE_HIDDEN_SIZE };
  return { ...model, base: { ...model.base, attention, embed, createDecodeSession } };
}

/** What the page remembers of models over a reload: the one that ran, the mirror, and where models came from. */
import { z } from '../../base/zod.ts';
import type { ModelPlace, ModelReport, SessionRecord } from '../../runtime/engine/protocol/protocol.ts';

const STORAGE_KEY = 'megacontext-playground.models';
export const HUB_ENDPOINT = 'https://huggingface.co';
const MOST_KNOWN = 100;

const originSchema = z.object({
  modelId: z.string(),
  modelHash: z.string(),
  name: z.string(),
  /** In this browser, if it was kept. */
  folder: z.string().nullable(),
  /** On the hub, as `owner/name@commit`; null for what came from disk. */
  origin: z.string().nullable(),
});
/** Where a model came from that ran here once. */
export type ModelOrigin = z.infer<typeof originSchema>;

const memorySchema = z.object({
  /** The kept model that ran last; null for the embedded one. */
  folder: z.object({ folder: z.string(), name: z.string() }).nullable().catch(null),
  endpoint: z.url({ protocol: /^https?$/ }).catch(HUB_ENDPOINT),
  origins: z.array(originSchema).catch([]),
});
type Remembered = z.infer<typeof memorySchema>;

const NOTHING: Remembered = { folder: null, endpoint: HUB_ENDPOINT, origins: [] };

export class ModelMemory {
  #state = remembered();

  get endpoint(): string {
    return this.#state.endpoint;
  }

  set endpoint(endpoint: string) {
    this.#keep({ endpoint });
  }

  /** The kept model that ran last, or null. */
  get place(): ModelPlace | null {
    const { folder } = this.#state;
    return folder === null ? null : { kind: 'kept', ...folder };
  }

  /** A model runs now. @param origin - of the repository; null for what came from disk. */
  ran({ id, hash, title }: ModelReport, place: ModelPlace, origin: string | null): void {
    const folder = place.kind === 'kept' ? place.folder : null;
    this.#keep({ folder: place.kind === 'kept' ? { folder: place.folder, name: place.name } : null });
    if (place.kind === 'shipped') return;
    const own = {
      modelId: id,
      modelHash: hash,
      name: place.kind === 'kept' ? place.name : title,
      folder,
      origin,
    };
    const others = this.#state.origins.filter(({ modelHash }) => modelHash !== hash);
    this.#keep({ origins: [own, ...others].slice(0, MOST_KNOWN) });
  }

  /** Where the model of a session came from; null for one that never ran in this browser. */
  originOf({ modelId, modelHash }: Pick<SessionRecord, 'modelId' | 'modelHash'>): ModelOrigin | null {
    const { origins } = this.#state;
    return origins.find((each) => each.modelId === modelId && each.modelHash === modelHash) ?? null;
  }

  #keep(change: Partial<Remembered>): void {
    this.#state = { ...this.#state, ...change };
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.#state));
    } catch {
      // Storage may be forbidden or full; the page works without remembering.
    }
  }
}

function remembered(): Remembered {
  try {
    return memorySchema.parse(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}'));
  } catch {
    return NOTHING;
  }
}

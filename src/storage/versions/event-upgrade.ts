/** Lifts recorded events from one version of the trace and database formats to the next (docs/formats-changelog.md). */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Event types that the formats named until trace version 4 and that nothing ever recorded. */
const DROPPED_TYPES: ReadonlySet<unknown> = new Set(['prune', 'router', 'staging']);

/** Whether an event of trace version 4 or database version 1 has no successor. */
export function isDroppedType(event: JsonObject): boolean {
  return DROPPED_TYPES.has(event['type']);
}

/**
 * An event of trace version 4 or database version 1 in the words of trace version 5 and database version 2: what
 * concerns a working context names its head, which was the only one; a gist has a `lod`; a decoded token an `index`.
 *
 * @param event - unvalidated; borrowed.
 */
export function withHeads(event: JsonObject): JsonObject {
  switch (event['type']) {
    case 'score':
    case 'refocus':
    case 'action':
    case 'evict':
    case 'deltaNll':
    case 'sensitivity':
      return { ...event, head: 0 };
    case 'decode': {
      const { position, ...rest } = event;
      return { ...rest, head: 0, index: position };
    }
    case 'gist': {
      const { level, ...rest } = event;
      return { ...rest, lod: level };
    }
    case 'latency': {
      const isForAll = event['stage'] === 'ingest' || event['stage'] === 'gist';
      return { ...event, head: isForAll ? null : 0 };
    }
    case 'violation':
      return { ...event, head: event['check'] === 'gist-finite' ? null : 0 };
    default:
      return event;
  }
}

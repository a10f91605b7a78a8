/** Hysteresis: which spans moved lately, and so may not flip direction yet. */
import type { AllocatorState, Cooldown } from './focus-allocator.ts';
import { spanIdOf } from '../tree/ids.ts';
import type { SpanId } from '../tree/ids.ts';

/** The cooldowns of one step, looked up and added to while the step runs. */
export class CooldownTable {
  private readonly bySpan = new Map<SpanId, Cooldown>();

  /** @param cooldownSteps - refocuses after the one of the move during which the span cannot flip. */
  constructor(
    state: AllocatorState,
    private readonly step: number,
    private readonly cooldownSteps: number,
  ) {
    for (const cooldown of state.cooldowns) {
      if (this.leftOf(cooldown) > 0) this.bySpan.set(cooldown.span, cooldown);
    }
  }

  /**
   * Refocuses, this one included, for which the move is refused because the span went the other way; 0 = free.
   * `(lod, start)` is the coarser span: the gist that would expand, or the parent that would take its place.
   */
  left(lod: number, start: number, kind: Cooldown['kind']): number {
    const cooldown = this.bySpan.get(spanIdOf(lod, start));
    return cooldown === undefined || cooldown.kind === kind ? 0 : this.leftOf(cooldown);
  }

  add(lod: number, start: number, kind: Cooldown['kind']): void {
    const span = spanIdOf(lod, start);
    this.bySpan.set(span, { span, step: this.step, kind });
  }

  toList(): readonly Cooldown[] {
    return [...this.bySpan.values()];
  }

  private leftOf(cooldown: Cooldown): number {
    return Math.max(0, cooldown.step + this.cooldownSteps + 1 - this.step);
  }
}

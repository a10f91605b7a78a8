/** What of a session's probes outlives the page: the questions, when they are asked, and their last outcomes. */
import { z } from '../../../base/zod.ts';
import { IN_WORDS } from '../../../base/schema-words.ts';

const outcomeSchema = z.object({
  cursor: z.number(),
  step: z.number(),
  isAnswered: z.boolean(),
  answer: z.string(),
});

const probeSchema = z.object({
  id: z.string(),
  question: z.string(),
  expected: z.array(z.string()),
  outcomes: z.array(outcomeSchema),
});
export type Probe = z.infer<typeof probeSchema>;

const keptSchema = z.object({ probes: z.array(probeSchema), everyTokens: z.number() });
export type KeptProbes = z.infer<typeof keptSchema>;

export const NO_PROBES: KeptProbes = { probes: [], everyTokens: 0 };

const keyOf = (sessionId: string) => `megacontext-playground.probes.${sessionId}`;

export function readProbes(sessionId: string): KeptProbes {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(keyOf(sessionId)) ?? 'null');
    const parsed = keptSchema.safeParse(stored, IN_WORDS);
    return parsed.success ? parsed.data : NO_PROBES;
  } catch {
    return NO_PROBES;
  }
}

export function keepProbes(sessionId: string, kept: KeptProbes): void {
  try {
    if (kept.probes.length === 0) localStorage.removeItem(keyOf(sessionId));
    else localStorage.setItem(keyOf(sessionId), JSON.stringify(kept));
  } catch {
    // Storage may be forbidden or full; the questions then end with the page.
  }
}

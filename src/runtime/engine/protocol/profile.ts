/** What the page asks of the engine's profile, and what it is told. */
import { z } from '../../../base/zod.ts';
import type { ProfileTally } from '../../../core/profile/profile.ts';
import type { MachineLimits } from '../../../core/profile/roofline.ts';

/** `clear` begins anew; `measure` probes the machine, which takes about a second. All answer with the report. */
const PROFILE_ACTS = ['read', 'clear', 'time-kernels', 'skip-kernels', 'measure'] as const;
export type ProfileAct = (typeof PROFILE_ACTS)[number];

export const profileSchema = z.object({ kind: z.literal('profile'), act: z.enum(PROFILE_ACTS) });

export interface ProfileReport {
  readonly all: ProfileTally;
  /** Of the turn under way or the last one; null before the first. */
  readonly turn: ProfileTally | null;
  /** Whether LensNet and GistNet are timed kernel by kernel. */
  readonly timesKernels: boolean;
  /** Null until the machine was measured on this backend. */
  readonly limits: MachineLimits | null;
  readonly model: string;
  readonly backend: string;
}

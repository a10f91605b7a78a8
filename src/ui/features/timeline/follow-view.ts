/** How the visible windows follow the run: never under the eyes of someone who looks at an old step. Pure. */
import { type StepWindow, clampSteps, followSteps, revealStep } from '../../model/step-axis.ts';
import { type TokenWindow, fitTokens } from '../../model/token-axis.ts';

interface Windows {
  readonly tokens: TokenWindow;
  readonly steps: StepWindow;
}

interface FollowedRun {
  /** Tokens of history. */
  readonly cursor: number;
  readonly frameCount: number;
  /** The frame under the playhead, or the one peeked at. */
  readonly shownIndex: number;
  /** The playhead stays on the newest frame. */
  readonly following: boolean;
  /** Another run than at the last call: nothing that was in view is there any more. */
  readonly replaced: boolean;
  /** Of the matrix, in pixels. */
  readonly height: number;
}

/**
 * The windows for the next drawing. Parts that have not changed keep their identity.
 *
 * The token window grows with the history only while the newest step is shown, and the step window scrolls
 * only as far as the playhead needs: frames that arrive while an old step is shown move nothing.
 */
export function followView(
  view: Windows & { readonly autoTokens: boolean; readonly autoSteps: boolean },
  run: FollowedRun,
): Windows {
  let { tokens, steps } = view;
  const { frameCount, height, replaced, following } = run;
  if (view.autoTokens && (following || replaced)) {
    const whole = fitTokens(run.cursor);
    if (whole.end !== tokens.end || tokens.start !== 0) tokens = whole;
  }
  if (view.autoSteps) {
    if (following) steps = followSteps(frameCount, height);
    else if (replaced) {
      const { rowHeight } = followSteps(frameCount, height);
      steps = clampSteps({ top: 0, rowHeight }, frameCount, height);
    }
    steps = revealStep(steps, Math.max(run.shownIndex, 0), frameCount, height);
  }
  const moved = steps.top !== view.steps.top || steps.rowHeight !== view.steps.rowHeight;
  return { tokens, steps: moved ? steps : view.steps };
}

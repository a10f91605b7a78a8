/** A continuation chosen by the researcher: how likely it is now, and what the last act by hand did to that. */
import { useState } from 'react';
import type { ContinuationScore } from '../../../runtime/engine/protocol/protocol.ts';
import { type SteeringEffect } from '../../model/steering.ts';
import { formatNats, formatToken } from '../../words/format.ts';
import { useModel, useConversation, useSteering } from '../../view/hooks.ts';

const MAX_CHARACTERS = 400;

export function Continuation({ effect }: { readonly effect: SteeringEffect | null }) {
  const { steering } = useModel();
  const continuation = useSteering((state) => state.continuation);
  const lastAnswer = useConversation(({ messages }) =>
    messages.findLast(({ role }) => role === 'assistant')?.text.trim(),
  );
  const [score, setScore] = useState<{ readonly text: string; readonly now: ContinuationScore } | null>(null);
  const compared = effect?.continuation ?? null;
  const now = score?.text === continuation ? score.now : null;
  return (
    <section className="continuation" aria-label="Continuation">
      <h4>Likelihood of a continuation</h4>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void steering.scoreContinuation().then((answer) => {
            setScore(answer && { text: continuation, now: answer });
          });
        }}
      >
        <input
          type="text"
          value={continuation}
          maxLength={MAX_CHARACTERS}
          placeholder="Text that could come next"
          aria-label="Continuation"
          onChange={(event) => {
            steering.follow(event.target.value);
          }}
        />
        <button type="submit" className="button" disabled={continuation === ''}>
          Score
        </button>
      </form>
      {lastAnswer && lastAnswer !== continuation.trim() && (
        <button
          type="button"
          className="link small"
          onClick={() => {
            steering.follow(` ${lastAnswer}`.slice(0, MAX_CHARACTERS));
          }}
        >
          Take the last answer
        </button>
      )}
      {compared && effect ? (
        <Comparison {...compared} words={effect.words} />
      ) : now ? (
        <p className="small tabular" role="status">
          {now.meanNll.toFixed(3)} nats/token over {now.tokens.length} tokens. Expand, collapse or pin a block
          to see what that changes.
        </p>
      ) : (
        <p className="muted small">
          Its ΔNLL is measured before and after whatever you do to a block by hand.
        </p>
      )}
    </section>
  );
}

interface ComparisonProps {
  readonly before: ContinuationScore;
  readonly after: ContinuationScore;
  readonly words: string;
}

function Comparison({ before, after, words }: ComparisonProps) {
  return (
    <>
      <p className="small tabular" role="status">
        ΔNLL <strong>{formatNats(after.meanNll - before.meanNll)}</strong> nats/token since the block was{' '}
        {words} ({before.meanNll.toFixed(3)} → {after.meanNll.toFixed(3)})
      </p>
      <div className="continuation-tokens" tabIndex={0} role="region" aria-label="Tokens of the continuation">
        <table className="comparison">
          <thead>
            <tr>
              <th scope="col">Token</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
              <th scope="col">Δ</th>
            </tr>
          </thead>
          <tbody>
            {after.tokens.map(({ text, nll }, i) => {
              const former = before.tokens[i]?.nll ?? nll;
              return (
                <tr key={i}>
                  <th scope="row" className="mono">
                    {formatToken(text)}
                  </th>
                  <td className="tabular">{former.toFixed(2)}</td>
                  <td className="tabular">{nll.toFixed(2)}</td>
                  <td className="tabular">{formatNats(nll - former)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

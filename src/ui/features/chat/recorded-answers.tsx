/** What the model wrote in a recording: a trace keeps answers, not questions. */
import { AnswerText } from './answer-text.tsx';
import { Citations } from './citations.tsx';
import { useRecording } from '../../view/hooks.ts';

export function RecordedAnswers() {
  const answers = useRecording((state) => state.recording?.answers ?? []);
  return (
    <div className="chat">
      <div className="chat-messages" role="log" aria-label="Recorded answers" tabIndex={0}>
        {answers.length === 0 ? (
          <div className="chat-empty">
            <h3>Nothing was answered in this recording</h3>
            <p className="muted">Go back to the live session to ask something.</p>
          </div>
        ) : (
          answers.map((tokens) => (
            <article
              key={tokens[0]!.tokenIndex}
              className="message message-assistant"
              aria-label="Recorded answer"
            >
              <AnswerText tokens={tokens} />
              <Citations answerStart={tokens[0]!.tokenIndex} />
              <footer className="muted small">written at step {tokens[0]!.step}</footer>
            </article>
          ))
        )}
      </div>
    </div>
  );
}

/** One message of the conversation, and what was refocused for it. */
import { Crosshair, Pencil, RotateCw } from 'lucide-react';
import type { ChatMessageRecord } from '../../../runtime/engine/protocol/protocol.ts';
import { answerFocus } from '../../model/block-history.ts';
import { type StreamedToken } from '../../model/conversation.ts';
import { formatPlural } from '../../words/format.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { FetchedMarkdown } from './fetched-markdown.tsx';
import { AnswerText } from './answer-text.tsx';
import { Citations } from './citations.tsx';
import { CopyText } from './copy-text.tsx';
import { useWhyNoQuestion } from './why-no-question.ts';
import { useConversation, useModel, useRunView } from '../../view/hooks.ts';

const ENDINGS: Record<ChatMessageRecord['ending'], string> = {
  complete: '',
  stopped: 'Stopped by you',
  interrupted: 'Interrupted when the session was left',
  cut: 'Cut at the longest answer',
  failed: 'Failed; what was written was kept',
};

export function ChatMessage({ message }: { readonly message: ChatMessageRecord }) {
  const view = useRunView();
  const isLastQuestion = useConversation(
    ({ messages }) => messages.findLast(({ role }) => role === 'user')?.id === message.id,
  );
  const before = useConversation(
    ({ messages }) => messages[messages.findIndex(({ id }) => id === message.id) - 1],
  );
  if (message.role === 'user') {
    return (
      <article className="message message-user" aria-label="You">
        <p translate="no">{message.text}</p>
        {isLastQuestion && <AskAgain question={message.text.trim()} />}
      </article>
    );
  }
  const tokens = tokensOf(message, view.run);
  return (
    <article className="message message-assistant" aria-label="Model">
      {tokens ? (
        <AnswerText tokens={tokens} />
      ) : (
        <div className="answer-text" translate="no">
          {message.text.trim() === '' ? (
            <p>
              <em className="muted">(nothing)</em>
            </p>
          ) : (
            <FetchedMarkdown source={message.text.trim()} />
          )}
        </div>
      )}
      <Citations answerStart={message.start} />
      <footer>
        <FocusLink start={before?.role === 'user' ? before.start : message.start} end={message.end} />
        {message.text.trim() !== '' && (
          <CopyText
            text={message.text.trim()}
            label="Copy"
            title="Copy the answer as it was written, Markdown and all"
          />
        )}
        {message.ending !== 'complete' && <span className="muted">{ENDINGS[message.ending]}</span>}
      </footer>
    </article>
  );
}

/** The history only grows: a question asked again is a new turn, with the old one and its answer in its past. */
function AskAgain({ question }: { readonly question: string }) {
  const { actions, conversation } = useModel();
  const why = useWhyNoQuestion();
  return (
    <footer>
      <button
        type="button"
        className="link"
        disabled={why !== null}
        title={why ?? 'Ask this again as a new turn; the answer given stays in the history'}
        onClick={() => void actions.ask(question)}
      >
        <RotateCw size={12} aria-hidden /> Ask again
      </button>
      <button
        type="button"
        className="link"
        title="Take this question into the field below; what you send is a new turn"
        onClick={() => {
          conversation.setState({ draft: question });
          document.getElementById('chat-input')?.focus();
        }}
      >
        <Pencil size={12} aria-hidden /> Edit
      </button>
    </footer>
  );
}

/** The tokens of a stored answer, where the trace still knows all of them and they spell its text. */
function tokensOf({ start, end, text }: ChatMessageRecord, run: RunFrames): StreamedToken[] | null {
  const tokens: StreamedToken[] = [];
  let spelled = '';
  for (let tokenIndex = start; tokenIndex < end; tokenIndex++) {
    const decoded = run.decodedAt(tokenIndex);
    if (!decoded) continue;
    tokens.push({ text: decoded.text, tokenIndex, step: decoded.step });
    spelled += decoded.text;
  }
  const answer = text.trim();
  const at = spelled.indexOf(answer);
  if (spelled.trim() === '' || at < 0) return null;
  return upTo(tokens, at + answer.length);
}

/** The tokens that spell the first so many characters: what ended the answer is no part of it. */
function upTo(tokens: readonly StreamedToken[], characters: number): StreamedToken[] {
  let left = characters;
  return tokens.flatMap((token) => {
    const text = token.text.slice(0, Math.max(0, left));
    left -= token.text.length;
    return text === '' ? [] : [{ ...token, text }];
  });
}

function FocusLink({ start, end }: { readonly start: number; readonly end: number }) {
  const view = useRunView();
  const { shell } = useModel();
  const { expansions, collapses, firstIndex } = answerFocus(view.run, start, end);
  if (firstIndex === null) return null;
  const words =
    expansions > 0
      ? `${formatPlural(expansions, 'block')} expanded for this answer`
      : collapses > 0
        ? `${formatPlural(collapses, 'block')} collapsed, none expanded`
        : 'Focus unchanged for this answer';
  return (
    <button
      type="button"
      className="link"
      onClick={() => {
        shell.setState({ mobileTab: 'timeline' });
        view.seekTo(firstIndex);
      }}
    >
      <Crosshair size={12} aria-hidden /> {words}
    </button>
  );
}

/** Ask the model about its history and watch where it looks. */
import { CircleStop, SendHorizontal } from 'lucide-react';
import type { ExampleQuestion } from '../../model/example.ts';
import { GrowingLog } from '../../widgets/growing-log.tsx';
import { RecordedAnswers } from './recorded-answers.tsx';
import { formatCount } from '../../words/format.ts';
import { AnswerText } from './answer-text.tsx';
import { CopyText, chatAsText } from './copy-text.tsx';
import { ChatMessage } from './chat-message.tsx';
import { Citations } from './citations.tsx';
import { ForeignTextNote } from '../../view/foreign-text-note.tsx';
import { useWhyNoQuestion } from './why-no-question.ts';
import {
  useModel,
  useConversation,
  useExample,
  useFirstMinute,
  useRecording,
  useSession,
} from '../../view/hooks.ts';

export function ChatPanel() {
  const isRecorded = useRecording((state) => state.recording !== null);
  // The example of the first minute only keeps the page company: the chat is the live one from the start.
  const isFirstMinute = useFirstMinute((state) => state.playing);
  return isRecorded && !isFirstMinute ? <RecordedAnswers /> : <LiveChat />;
}

function LiveChat() {
  const messages = useConversation((state) => state.messages);
  const streaming = useConversation((state) => state.streaming);
  const asking = useConversation((state) => state.asking);
  const known = streaming?.messageId != null && messages.some(({ id }) => id === streaming.messageId);

  return (
    <div className="chat">
      <GrowingLog label="Conversation" className="chat-messages" busy={asking}>
        {messages.length === 0 && !asking && (
          <div className="chat-empty">
            <h3>Ask about the history</h3>
            <p className="muted">
              The model reads only its working context. Your question makes it refocus: blocks that matter
              expand to raw tokens, then it answers.
            </p>
          </div>
        )}
        {messages.length > 0 && (
          <div className="chat-copy">
            <CopyText
              text={chatAsText(messages)}
              label="Copy the chat"
              title="Copy all questions and answers as plain text"
            />
          </div>
        )}
        {messages.map((message) => (
          <ChatMessage key={message.id} message={message} />
        ))}
        {streaming && !known && (
          <article className="message message-assistant" aria-label="Answer being written">
            {streaming.tokens.length === 0 ? (
              <p className="muted thinking">{asking ? 'Refocusing' : ''}</p>
            ) : (
              <>
                <AnswerText tokens={streaming.tokens}>
                  <span className="caret" aria-hidden />
                </AnswerText>
                <Citations answerStart={streaming.tokens[0]!.tokenIndex} />
              </>
            )}
          </article>
        )}
      </GrowingLog>
      <ForeignTextNote of="question" />
      <ExampleQuestions />
      <Composer />
    </div>
  );
}

const SHOWN_QUESTIONS = 4;

/** Questions whose fact the model has read already, farthest back first. */
function ExampleQuestions() {
  const example = useExample((state) => state.example);
  const title = useSession((state) => state.session?.record.title);
  const cursor = useSession((state) => state.session?.cursor ?? 0);
  const hasDocument = useSession((state) => state.provenance.some((run) => run.title === example?.title));
  const messages = useConversation((state) => state.messages);
  if (!example || (title !== example.title && !hasDocument)) return null;
  const asked = new Set(messages.map(({ text }) => text.trim()));
  const open = example.questions.filter(
    ({ question, factEndToken = 0 }) => factEndToken < cursor && !asked.has(question),
  );
  if (open.length === 0) return null;
  return (
    <div className="suggestions" aria-label="Example questions">
      {open.slice(0, SHOWN_QUESTIONS).map((question) => (
        <QuestionChip key={question.question} question={question} cursor={cursor} />
      ))}
    </div>
  );
}

function QuestionChip({ question, cursor }: { readonly question: ExampleQuestion; readonly cursor: number }) {
  const { actions } = useModel();
  const why = useWhyNoQuestion();
  const distance =
    question.factStartToken === undefined ? null : Math.max(0, cursor - question.factStartToken);
  return (
    <button
      type="button"
      className="chip"
      disabled={why !== null}
      title={why ?? `Expected: ${question.answer}${question.tests ? ` Tests ${question.tests}.` : ''}`}
      onClick={() => void actions.ask(question.question)}
    >
      <span>{question.question}</span>
      {distance !== null && <span className="muted tabular">{formatCount(distance)} tokens back</span>}
    </button>
  );
}

function Composer() {
  const { actions, conversation } = useModel();
  const draft = useConversation((state) => state.draft);
  const asking = useConversation((state) => state.asking);
  const why = useWhyNoQuestion();
  const submit = () => {
    const text = draft.trim();
    if (why !== null || text === '') return;
    conversation.setState({ draft: '' });
    void actions.ask(text);
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        id="chat-input"
        rows={2}
        aria-label="Your question"
        placeholder={why ?? 'Ask something…'}
        value={draft}
        onChange={(event) => {
          conversation.setState({ draft: event.target.value });
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey) return;
          event.preventDefault();
          submit();
        }}
      />
      {asking ? (
        <button
          type="button"
          className="icon-button primary"
          aria-label="Stop the answer"
          title="Stop the answer"
          onClick={() => void actions.stopAnswer()}
        >
          <CircleStop size={18} aria-hidden />
        </button>
      ) : (
        <button
          type="submit"
          className="icon-button primary"
          aria-label="Send"
          title={why ?? 'Send (Enter)'}
          disabled={why !== null || draft.trim() === ''}
        >
          <SendHorizontal size={18} aria-hidden />
        </button>
      )}
    </form>
  );
}

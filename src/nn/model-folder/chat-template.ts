/**
 * A model's chat template as the plain pieces that an append-only history is written with. The template (Jinja, as
 * Hugging Face tokenizers carry it) is rendered for short sample dialogues whose texts mark where the pieces end.
 */
import { boundedTemplate } from './bounded-jinja.ts';
import { type ChatPieces, type ChatTemplate, PLAIN_CHAT } from './chat-pieces.ts';
import { WeightError } from './errors.ts';

/**
 * A Jinja template. Parameters as `chatPieces`.
 *
 * @throws {WeightError} as that does, at once.
 */
export function renderedChat(source: string, file: string, options: ChatTemplateOptions): ChatTemplate {
  const own = chatPieces(source, file, options);
  let last: { readonly systemText: string; readonly pieces: ChatPieces } | null = null;
  return {
    pieces: (systemText) => {
      if (systemText === undefined) return own;
      if (last?.systemText !== systemText) {
        last = { systemText, pieces: chatPieces(source, file, { ...options, systemText }) };
      }
      return last.pieces;
    },
  };
}

const FIRST = 'FIRST\u0001QUESTION';
const ANSWER = 'SAMPLE\u0001ANSWER';
const SECOND = 'SECOND\u0001QUESTION';
const SYSTEM = 'SYSTEM\u0001TEXT';
const LONGEST_TEMPLATE_CHARACTERS = 65_536;

interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatTemplateOptions {
  /** Texts of the special tokens, as a template may name them. */
  readonly bosToken: string;
  readonly eosToken: string;
  /** Instead of the template's own system message; undefined leaves that, and '' takes it out. */
  readonly systemText?: string;
}

/**
 * @param file - named in errors.
 * @throws {WeightError} if the template cannot be rendered, or hides a message's text.
 */
export function chatPieces(source: string, file: string, options: ChatTemplateOptions): ChatPieces {
  if (source.length > LONGEST_TEMPLATE_CHARACTERS) {
    const what = `the chat template is longer than ${LONGEST_TEMPLATE_CHARACTERS} characters`;
    throw new WeightError(file, null, what);
  }
  const render = rendererOf(source, file, options);
  const cut = (text: string, at: string): readonly [string, string] => {
    const index = text.indexOf(at);
    if (index < 0) throw new WeightError(file, null, 'the chat template leaves out what a message says');
    return [text.slice(0, index), text.slice(index + at.length)];
  };
  const dialogue = render(
    [
      { role: 'user', content: FIRST },
      { role: 'assistant', content: ANSWER },
      { role: 'user', content: SECOND },
    ],
    false,
  );
  const [beforeFirst, afterFirst] = cut(dialogue, FIRST);
  const [beforeAnswer, afterAnswer] = cut(afterFirst, ANSWER);
  const [between, userSuffix] = cut(afterAnswer, SECOND);
  const prompted = cut(render([{ role: 'user', content: FIRST }], true), FIRST)[1];
  // What stands between a question and its answer begins with what ends the question.
  const assistantPrefix = prompted.startsWith(userSuffix) ? prompted.slice(userSuffix.length) : prompted;
  const ending =
    options.eosToken !== '' && between.startsWith(options.eosToken) ? options.eosToken : firstMark(between);
  const stop = [...new Set([ending, options.eosToken])].filter((text) => text !== '');
  return {
    opening: openingOf(render, beforeFirst, between.slice(ending.length), options.systemText, file),
    userPrefix: between.slice(ending.length),
    userSuffix: prompted.startsWith(userSuffix) ? userSuffix : '',
    assistantPrefix: assistantPrefix === '' ? beforeAnswer.slice(userSuffix.length) : assistantPrefix,
    stop: stop.length > 0 ? stop : PLAIN_CHAT.stop,
  };
}

function openingOf(
  render: (messages: readonly Message[], addPrompt: boolean) => string,
  beforeFirst: string,
  userPrefix: string,
  systemText: string | undefined,
  file: string,
): string {
  let before = beforeFirst;
  if (systemText !== undefined) {
    const messages: Message[] = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: FIRST },
    ];
    const rendered = systemText === '' ? '' : render(messages, false);
    const at = rendered.indexOf(FIRST);
    if (systemText !== '' && !rendered.slice(0, at).includes(SYSTEM)) {
      throw new WeightError(file, null, 'the chat template takes no system text');
    }
    before = rendered.slice(0, Math.max(0, at)).replace(SYSTEM, () => systemText);
  }
  // The prefix of the first question may lack the line break that follows an answer.
  for (const prefix of [userPrefix, userPrefix.trimStart()]) {
    if (prefix !== '' && before.endsWith(prefix)) return before.slice(0, -prefix.length);
  }
  return before;
}

/** The special token that an answer ends with, such as `<|im_end|>`; the first line break where there is none. */
function firstMark(text: string): string {
  return /^\s*(<[^<>\s]{1,64}>|\[[^[\]\s]{1,64}\])/u.exec(text)?.[0] ?? /^\n/.exec(text)?.[0] ?? '';
}

function rendererOf(source: string, file: string, { bosToken, eosToken }: ChatTemplateOptions) {
  const refuse = (error: unknown): never => {
    const what = error instanceof Error ? error.message : String(error);
    throw new WeightError(file, null, `the chat template cannot be rendered: ${what}`, { cause: error });
  };
  let template: ReturnType<typeof boundedTemplate>;
  try {
    template = boundedTemplate(source);
  } catch (error) {
    return refuse(error);
  }
  return (messages: readonly Message[], addPrompt: boolean): string => {
    try {
      return template({
        messages,
        add_generation_prompt: addPrompt,
        bos_token: bosToken,
        eos_token: eosToken,
      });
    } catch (error) {
      return refuse(error);
    }
  };
}

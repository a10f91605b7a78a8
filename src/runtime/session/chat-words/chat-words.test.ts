import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { renderedChat } from '../../../nn/model-folder/chat-template.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { bootEngine, ingest, open, prose } from '../../testing/engine-fixture.ts';
import { chatWords, withChatWords } from './chat-words.ts';

const CHATML =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}<s>be kind</e>\n{% endif %}" +
  "{{ '<' + message['role'] + '>' + message['content'] + '</e>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}";

const chat = renderedChat(CHATML, 'template', { bosToken: '', eosToken: '</e>' });
const model = { ...createFakeModel(), chat };
const small = { budgetTokens: 256, recentTokens: 64, maxNewTokens: 2, policy: 'recency' };
const OWN = '<s>be kind</e>';

async function session(config = {}) {
  const fixture = await bootEngine({ model });
  const id = await open(fixture, { ...small, ...config });
  const text = async () => {
    const { text: all } = await fixture.engine.handle({
      kind: 'spanText',
      start: 0,
      end: 4096,
      maxCharacters: 9999,
    });
    return all;
  };
  return {
    fixture,
    id,
    text,
    ask: (question: string) => fixture.engine.handle({ kind: 'ask', text: question }),
  };
}

describe('the opening of a chat', () => {
  it('is written once, before whatever comes first', async () => {
    const asked = await session();
    await asked.ask('Who?');
    expect((await asked.text()).startsWith(`${OWN}\n<user>Who?</e>`)).toBe(true);
    const read = await session();
    await ingest(read.fixture, 'A harbour. ');
    await read.ask('Who?');
    const text = await read.text();
    expect(text.startsWith(`${OWN}A harbour. `)).toBe(true);
    expect(text.split('be kind')).toHaveLength(2);
  });

  it('is the session’s own text, or none, and a later one comes before the next question', async () => {
    const none = await session({ systemText: '-' });
    await none.ask('Who?');
    expect(await none.text()).not.toContain('be kind');
    const own = await session({ systemText: 'Be brief.' });
    await own.ask('Who?');
    expect((await own.text()).startsWith('<system>Be brief.</e>\n<user>Who?')).toBe(true);
    await own.fixture.engine.handle({ kind: 'setConfig', changes: { systemText: 'Be long.' } });
    await own.ask('And?');
    await own.ask('Then?');
    const text = await own.text();
    expect(text.indexOf('<system>Be long.</e>')).toBeGreaterThan(text.indexOf('Who?'));
    expect(text.indexOf('<system>Be long.</e>')).toBeLessThan(text.indexOf('And?'));
    expect(text.split('Be long.')).toHaveLength(2);
  });

  it('stays raw far behind the window’s recent tokens', async () => {
    const { fixture } = await session();
    await ingest(fixture, prose(4000));
    const report = await fixture.engine.handle({ kind: 'inspect', lod: 0, start: 0, end: 32 });
    expect(report.currentLod).toBe(0);
  });

  it('is kept with the session, and recorded', async () => {
    const { fixture, id } = await session({ systemText: 'Be brief.', stopTexts: 'x\n\\n' });
    await fixture.engine.handle({ kind: 'createSession', title: 'Other', config: {} });
    const { state, events } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    const kept = { systemText: 'Be brief.', stopTexts: 'x\n\\n' };
    expect(state.config).toMatchObject(kept);
    expect(events.findLast((event) => event.type === 'session')?.config).toMatchObject(kept);
  });
});

it('a question is written in the format that holds when it is asked', async () => {
  const { fixture, ask, text } = await session();
  await ask('Who?');
  await fixture.engine.handle({ kind: 'setConfig', changes: { promptFormat: 'completion' } });
  await ask('Where?');
  const all = await text();
  expect(all).toContain('<user>Who?</e>');
  expect(all).toContain('\nQuestion: Where?\nAnswer:');
  expect(all.split('be kind')).toHaveLength(2);
});

describe('the words of a chat', () => {
  const words = (changes: object) => chatWords(model, { ...DEFAULT_RUN_CONFIG, ...changes });

  it('are the template’s but for stop texts of one’s own', () => {
    expect(words({})).toMatchObject({ opening: OWN, assistantPrefix: '<assistant>', stop: ['</e>'] });
    expect(words({ stopTexts: '\\n\n</s>\n' }).stop).toEqual(['\n', '</s>']);
  });

  it('are plain text to be completed where that is asked for, the system text on a line before it', () => {
    const plain = {
      userPrefix: '\nQuestion: ',
      userSuffix: '\n',
      assistantPrefix: 'Answer:',
      stop: ['\n', '</e>'],
    };
    expect(words({ promptFormat: 'completion' })).toEqual({ opening: '', ...plain });
    expect(words({ promptFormat: 'completion', systemText: '-' }).opening).toBe('');
    expect(words({ promptFormat: 'completion', systemText: 'Be brief.', stopTexts: '.' })).toEqual({
      opening: 'Be brief.\n',
      ...plain,
      stop: ['.'],
    });
    const asked = withChatWords(model, { ...DEFAULT_RUN_CONFIG, promptFormat: 'completion' });
    expect(asked.manifest.chat).toEqual(plain);
    const templated = withChatWords(model, DEFAULT_RUN_CONFIG).manifest.chat;
    expect(templated).toMatchObject({ assistantPrefix: '<assistant>', stop: ['</e>'] });
  });

  it('name the parameter where a template takes no system text', () => {
    const source =
      "{% for m in messages %}{% if m['role'] != 'system' %}{{ '<' + m['role'] + '>' + m['content'] + '</e>' }}{% endif %}{% endfor %}";
    const deaf = { chat: renderedChat(source, 'template', { bosToken: '', eosToken: '</e>' }) };
    expect(() => chatWords(deaf, { ...DEFAULT_RUN_CONFIG, systemText: 'x' })).toThrow(
      /systemText.*takes no system text/,
    );
  });
});

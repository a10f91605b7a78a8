/** A preset's story goes on only when the engine has read what came before, however late its states arrive. */
import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { BootReport, Command, SessionState } from '../../../runtime/engine/protocol/protocol.ts';
import { Commands } from '../../commands/commands.ts';
import { createModel } from '../../model/model.ts';
import { fakeEngine } from '../../model/testing/fake-engine.ts';
import { Presets } from './presets.ts';

const EXAMPLE = { title: 'Example', text: 'Chapter One: A\n', questions: [] };

it('changes the parameters of thrashing only after the first half was read', async () => {
  const stateAt = (cursor: number, pendingTokens: number): SessionState =>
    ({
      record: { id: 'preset' },
      config: DEFAULT_RUN_CONFIG,
      readOnly: false,
      cursor,
      step: 0,
      pendingTokens,
      activity: pendingTokens > 0 ? 'ingesting' : 'idle',
      marks: [],
      cold: { nodes: 0, bytes: 0 },
    }) as unknown as SessionState;
  const answer = ({ kind }: Command): unknown => {
    if (kind === 'createSession') {
      return { state: stateAt(0, 0), events: [], chat: [], provenance: [], damage: [] };
    }
    return kind === 'listSessions'
      ? []
      : kind === 'ingestText'
        ? { documentId: 'a', tokens: 9 }
        : stateAt(0, 0);
  };
  const { port, sent, tell } = fakeEngine(answer);
  const model = createModel(port);
  const presets = new Presets({ model, commands: new Commands() });
  model.mirror.setState({ boot: { defaults: DEFAULT_RUN_CONFIG, model: { id: 'other' } } as BootReport });
  model.example.setState({ example: EXAMPLE });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 250));

  void presets.start('thrashing');
  await settled();
  expect(sent).not.toContain('setConfig');
  tell({ kind: 'state', sessionId: 'preset', state: stateAt(64, 3000) });
  await settled();
  expect(sent).not.toContain('setConfig');
  tell({ kind: 'state', sessionId: 'preset', state: stateAt(3064, 0) });
  await settled();
  expect(sent).toContain('setConfig');
});

it('is not started while another session is being made and given its text', () => {
  const { port, sent } = fakeEngine();
  const model = createModel(port);
  const commands = new Commands();
  const presets = new Presets({ model, commands });
  model.mirror.setState({
    phase: 'ready',
    boot: { defaults: DEFAULT_RUN_CONFIG, model: { id: 'other' } } as BootReport,
  });
  model.example.setState({ example: EXAMPLE });
  void model.actions.create('First', {}, { text: 'A text', title: 'Text' });
  presets.choose('needle');
  expect(sent).toEqual(['createSession']);
  model.mirror.setState({ settingUp: false });
  commands.run('preset-needle');
  expect(sent).toEqual(['createSession', 'createSession']);
});

/** A preset's story goes on only when the engine has read what came before, however late its states arrive. */
import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { BootReport, Command, Notice, SessionState } from '../../../runtime/engine/protocol/protocol.ts';
import { connectEngine, type EnginePort } from '../../model/engine-session.ts';
import { createSession } from '../../model/session-actions.ts';
import { useExample } from '../share/example-store.ts';
import { useSession } from '../../model/session-store.ts';
import { choosePreset, startPreset } from './apply-preset.ts';

it('changes the parameters of thrashing only after the first half was read', async () => {
  const sent: Command['kind'][] = [];
  let tell: (notice: Notice) => void = () => undefined;
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
    }) as unknown as SessionState;
  const answer = ({ kind }: Command): unknown => {
    sent.push(kind);
    if (kind === 'createSession') {
      return { state: stateAt(0, 0), events: [], chat: [], provenance: [], damage: [] };
    }
    return kind === 'listSessions'
      ? []
      : kind === 'ingestText'
        ? { documentId: 'a', tokens: 9 }
        : stateAt(0, 0);
  };
  const disconnect = connectEngine({
    call: (command: Command) => Promise.resolve(answer(command)),
    onNotice: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
    dispose: () => undefined,
  } as unknown as EnginePort);
  useSession.setState({ boot: { defaults: DEFAULT_RUN_CONFIG } as BootReport });
  useExample.setState({ example: { title: 'Example', text: 'Chapter One: A\n', questions: [] } });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 250));

  void startPreset('thrashing');
  await settled();
  expect(sent).not.toContain('setConfig');
  tell({ kind: 'state', state: stateAt(64, 3000) });
  await settled();
  expect(sent).not.toContain('setConfig');
  tell({ kind: 'state', state: stateAt(3064, 0) });
  await settled();
  expect(sent).toContain('setConfig');
  disconnect();
});

it('is not started while another session is being made and given its text', () => {
  const sent: Command['kind'][] = [];
  const disconnect = connectEngine({
    call: ({ kind }: Command) => {
      sent.push(kind);
      return new Promise(() => undefined);
    },
    onNotice: () => () => undefined,
    dispose: () => undefined,
  } as unknown as EnginePort);
  useSession.setState({ phase: 'ready' });
  void createSession('First', {}, { text: 'A text', title: 'Text' });
  choosePreset('needle');
  expect(sent).toEqual(['createSession']);
  useSession.setState({ settingUp: false });
  choosePreset('needle');
  expect(sent).toEqual(['createSession', 'createSession']);
  disconnect();
});

/** What a page can do by keys, and that two pages share nothing. */
import { describe, expect, it } from 'vitest';
import { sampleRefocus } from '../../core/testing/sample-events.ts';
import type { SessionState } from '../../runtime/engine/protocol/protocol.ts';
import { fakeEngine } from '../model/testing/fake-engine.ts';
import { createPage } from './page.ts';

const page = () => createPage(fakeEngine().port);

describe('the keys of a page', () => {
  const { commands } = page();

  it('lead to its commands', () => {
    expect(commands.ofChord('.')?.id).toBe('next-action');
    expect(commands.ofChord('Mod+Shift+Z')?.id).toBe('redo');
    expect(commands.ofChord('x')).toBeUndefined();
  });

  it.each([
    ['Space', 'play'],
    ['ArrowLeft', 'back'],
    ['ArrowRight', 'forward'],
    ['Shift+ArrowLeft', 'back-fast'],
    ['Shift+ArrowRight', 'forward-fast'],
    ['Home', 'first'],
    ['End', 'newest'],
    ['w', 'zoom-in'],
    ['s', 'zoom-out'],
    ['a', 'pan-left'],
    ['d', 'pan-right'],
    ['.', 'next-action'],
    [',', 'previous-action'],
    ['f', 'focus'],
    ['0', 'fit'],
    ['/', 'find'],
    ['Mod+k', 'palette'],
    ['?', 'help'],
  ])('%s means %s, as in other profilers', (chord, id) => {
    expect(commands.ofChord(chord)?.id).toBe(id);
  });
});

it('is made of instances: what one page does, another does not', () => {
  const engine = fakeEngine();
  const one = createPage(engine.port);
  const other = page();
  one.model.mirror.setState({ session: { record: { id: 's' } } as SessionState });
  engine.tell({
    kind: 'telemetry',
    sessionId: 's',
    events: [1, 2, 3].map((step) => sampleRefocus({ step })),
  });
  one.commands.run('first');
  one.commands.run('colour');
  one.commands.run('help');
  expect(one.model.view.playhead.state).toMatchObject({ count: 3, index: 0, following: false });
  expect(one.model.view.viewport.state.colourBy).toBe('score');
  expect(one.model.shell.getState().dialog).toBe('help');
  expect(other.model.view.playhead.state).toMatchObject({ count: 0, index: -1, following: true });
  expect(other.model.view.viewport.state.colourBy).toBe('lod');
  expect(other.model.shell.getState().dialog).toBeNull();
});

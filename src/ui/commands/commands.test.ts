/** A registry knows each command by its id and its chords, and takes none twice. */
import { expect, it } from 'vitest';
import { type CommandEntry, Commands } from './commands.ts';

const entry = (id: string, keys: readonly string[], run: () => void = () => undefined): CommandEntry => ({
  id,
  title: id,
  group: 'Page',
  keys,
  run,
});

it('runs commands by id, finds them by chord, and keeps their order', () => {
  const commands = new Commands();
  let ran = 0;
  commands.register(
    entry('b', ['x', 'Mod+y'], () => {
      ran++;
    }),
    entry('a', []),
  );
  commands.run('b');
  expect([ran, commands.ofChord('Mod+y')?.id, commands.ofChord('z')]).toEqual([1, 'b', undefined]);
  expect(commands.all.map(({ id }) => id)).toEqual(['b', 'a']);
});

it('refuses an id or a chord that is taken, and knows no command that nobody registered', () => {
  const commands = new Commands();
  commands.register(entry('a', ['x']));
  expect(() => {
    commands.register(entry('a', []));
  }).toThrow('two commands');
  expect(() => {
    commands.register(entry('b', ['x']));
  }).toThrow('share the chord x');
  expect(() => {
    commands.run('c');
  }).toThrow('no command “c”');
});

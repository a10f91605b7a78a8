import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Profile } from '../../../core/profile/profile.ts';
import { ProfileTable } from './profile-table.tsx';

const LIMITS = { bytesPerSecond: 1e9, flopsPerSecond: 2e9, dispatchMs: 0.1, recordMs: 0.001 };

function tally() {
  const profile = new Profile(() => 0);
  profile.addStage('score', { ms: 30 });
  profile.addStage('decode', { ms: 90, tokens: 1 });
  profile.add('operation', 'base decode', { ms: 10, tokens: 2, bytes: 5e6, flops: 2e6 });
  profile.add('operation', 'LensNet', { ms: 4, tokens: 70 });
  return profile.read().all;
}

const drawn = (group: 'stage' | 'operation' | 'kernel', limits: typeof LIMITS | null) =>
  renderToStaticMarkup(<ProfileTable group={group} title="Rows" tally={tally()} limits={limits} />);

describe('ProfileTable', () => {
  it('puts the longest first, with its share behind its name', () => {
    const html = drawn('stage', null);
    expect(html.indexOf('>decode<')).toBeLessThan(html.indexOf('>score<'));
    expect(html).toContain('background-size:75% 100%');
    expect(html).not.toContain('Bytes');
  });

  it('says what a row must take at least, and why where that is not known', () => {
    const html = drawn('operation', LIMITS);
    expect(html).toContain('Held up by bandwidth');
    expect(html).toContain('50%');
    expect(html).toContain('None: Bytes and arithmetic are counted');
    expect(drawn('operation', null)).toContain('None: Measure the machine first.');
  });

  it('is not there where nothing of its kind was done', () => {
    expect(drawn('kernel', LIMITS)).toBe('');
  });
});

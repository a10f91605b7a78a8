import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { AnswerMarkdown } from './answer-markdown.tsx';

const draw = (source: string) => renderToStaticMarkup(<AnswerMarkdown source={source} />);

describe('an answer’s Markdown', () => {
  it('becomes elements', () => {
    expect(draw('# Ports\n\nA **bold** and *slanted* `word`.\n\n1. one\n2. two\n\n```\nx < 1\n```')).toBe(
      '<h4>Ports</h4><p>A <strong>bold</strong> and <em>slanted</em> <code>word</code>.</p>' +
        '<ol start="1"><li><p>one</p></li><li><p>two</p></li></ol><pre><code>x &lt; 1</code></pre>',
    );
  });

  it.each([
    '<img src=x onerror=alert(1)>',
    '<script>alert(1)</script>',
    'text <b onclick="x()">b</b>',
    '![a](http://elsewhere.test/pixel.png)',
    '[a](javascript:alert(1))',
    '<http://elsewhere.test>',
    '[x]: http://elsewhere.test\n\n[x] ![x]',
  ])('makes no element of its own and no address of %s', (source) => {
    const html = draw(source);
    expect(
      html.replaceAll(/<\/?(p|em|strong|code|pre|span|br)( class="inert-link"| title="[^"]*")*\/?>/g, ''),
    ).not.toContain('<');
    expect(html).not.toMatch(/<[^>]* (href|src|on\w+)=/);
  });

  it('is drawn at every length that it has while it is written', () => {
    const source = '**Bold** with `code` and\n\n- a [link](http://elsewhere.test)\n  - nested\n\n> quote';
    for (let length = 0; length <= source.length; length++) {
      const text = draw(source.slice(0, length)).replaceAll(/<[^>]*>/g, '');
      expect(text.length).toBeLessThanOrEqual(length * 6);
    }
  });

  it('leaves what is nested too deep as text', () => {
    expect(draw(`${'> '.repeat(2000)}deep`)).toContain('deep');
  });

  it('tells where each text stands in the source', () => {
    const source = 'A **bold** `word`\n\n```ts\nlet a = 1;\n```\n\na &amp; b';
    const seen: [string, string][] = [];
    renderToStaticMarkup(
      <AnswerMarkdown
        source={source}
        drawText={(text, start) => {
          seen.push([text, source.slice(start, start + text.length)]);
          return text;
        }}
      />,
    );
    const escaped = seen.pop();
    for (const [text, there] of seen) expect(text).toBe(there);
    expect(seen.map(([text]) => text)).toEqual(['A ', 'bold', ' ', 'word', 'let a = 1;']);
    expect(escaped?.[0]).toBe('a & b');
  });
});

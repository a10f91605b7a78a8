/** `docs/parameters.md`, out of the tables of parameters, definitions and policies. */
import { DEFINITIONS, type Definition } from '../src/core/parameters/definitions.ts';
import { EFFECTS, type Parameter, PARAMETER_GROUPS, PARAMETERS } from '../src/core/parameters/parameters.ts';
import { POLICIES } from '../src/core/policies/registry.ts';

const plain = (value: number | string): string =>
  typeof value === 'number' ? value.toLocaleString('en-US') : value;

/** The whole file, as Markdown. */
export function parameterDocs(): string {
  return [
    '# Parameters',
    '',
    '<!-- Written by `npm run docs` from src/core/parameters/ and src/core/policies/. -->',
    '',
    'Every parameter of a run. Changes apply at the next refocus. The page has them as a form, a link as `p.ID=VALUE`, `npm run loop` and `npm run eval` as `--set ID=VALUE`; a trace records them. Those with an M have a default of their own in the manifests of some models.',
    '',
    ...Object.entries(PARAMETER_GROUPS).flatMap(([group, title]) => groupTable(group, title)),
    '## What a new value takes hold of',
    '',
    ...Object.entries(EFFECTS).map(([effect, words]) => `- \`${effect}\`: ${words}.`),
    '',
    '## Policies',
    '',
    'Who scores, by `policy`. A scorer is made again when one of the parameters that its policy reads has a new value.',
    '',
    '| policy | what it does | reads |',
    '|---|---|---|',
    ...Object.values(POLICIES).map(
      ({ id, sentence, reads }) =>
        `| \`${id}\` | ${sentence} | ${reads.map((read) => `\`${read}\``).join(', ')} |`,
    ),
    '',
    '## Definitions',
    '',
    ...DEFINITIONS.flatMap(definition),
  ].join('\n');
}

function groupTable(group: string, title: string): readonly string[] {
  return [
    `## ${title}`,
    '',
    '| parameter | default | range | what it does | takes hold of | see |',
    '|---|---|---|---|---|---|',
    ...PARAMETERS.filter((parameter) => parameter.group === group).map(row),
    '',
  ];
}

function row(parameter: Parameter): string {
  const { id, label, symbol, unit, sentence, affects, definition: wanted, inManifest } = parameter;
  const name = `${label}${symbol === undefined ? '' : `, ${symbol}`}<br>\`${id}\`${inManifest === undefined ? '' : ' M'}`;
  const range =
    parameter.kind === 'choice'
      ? parameter.choices.map((choice) => `\`${choice}\``).join(', ')
      : parameter.kind === 'text'
        ? `at most ${plain(parameter.maxCharacters)} characters`
        : `${plain(parameter.min)}–${plain(parameter.max)}${unit === '' ? '' : ` ${unit}`}`;
  const { term } = DEFINITIONS.find(({ id: each }) => each === wanted)!;
  const cells = [
    name,
    parameter.default === '' ? 'empty' : plain(parameter.default),
    range,
    sentence,
    affects.join(', '),
    `[${term}](#${anchorOf(term)})`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function definition({ term, text, formula, sources = [] }: Definition): readonly string[] {
  return [
    `### ${term}`,
    '',
    text,
    '',
    ...(formula === undefined ? [] : ['```', formula, '```', '']),
    ...sources.flatMap(({ title, address }) => [`[${title}](${address})`, '']),
  ];
}

/** As GitHub makes a heading's anchor. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

/** What is known of a model before it is loaded: what it is, whether it will run here, and roughly how fast. */
import type { ModelCheck } from '../../../runtime/engine/protocol/protocol.ts';
import { formatBytes, formatCompact, formatCount } from '../../words/format.ts';

export function CheckFacts({ check }: { readonly check: ModelCheck }) {
  const { licence, architecture, parameters, trainedContextTokens, fileBytes, hasHeads, forecast } = check;
  return (
    <>
      <dl className="facts" translate="no">
        <Fact name="Size" value={formatBytes(fileBytes)} />
        <Fact name="Licence" value={licence ?? 'not stated'} />
        <Fact name="Architecture" value={architecture} />
        <Fact name="Parameters" value={formatCompact(parameters)} />
        <Fact name="Trained context" value={`${formatCount(trainedContextTokens)} tokens`} />
        <Fact name="Memory" value={formatBytes(forecast.memoryBytes)} />
        <Fact name="Speed here" value={speedWords(forecast.tokensPerSecond)} />
      </dl>
      <p className={forecast.fits === 'yes' ? '' : 'warning-text'}>
        <strong>{VERDICTS[forecast.fits]}</strong> {forecast.why}
      </p>
      {!hasHeads && (
        <p className="muted small">
          It comes without a GistNet and a LensNet. Unless those that come with this page were made for it, gists
          are means, and keyword search chooses what is expanded.
        </p>
      )}
    </>
  );
}

const VERDICTS = {
  yes: 'It will run here.',
  tight: 'It may run here.',
  no: 'It will not run here.',
} as const;

function speedWords(tokensPerSecond: number | null): string {
  if (tokensPerSecond === null) return 'not known before a backend runs';
  const digits = tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : formatCount(tokensPerSecond);
  return `about ${digits} tokens a second`;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Each head in one row: what it looks for and its share, which a live run can change; how it is used; what it is worth. */
import { noveltyOf } from '../../../core/heads/coverage.ts';
import { headCues, mutedHeads, STAGING_HEAD, type WeightedCue } from '../../../core/heads/head-specs.ts';
import { HEAD_CUES, type HeadCue } from '../../../core/parameters/heads.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { headName } from '../../words/heads.ts';
import type { Heads } from './heads.ts';
import { gainPerSlotsWords, gainWords, readWords } from './lane-words.ts';
import { OverlapTable } from './overlap-table.tsx';

const MOST_SHARES = 9;

interface HeadTableProps {
  readonly heads: Heads;
  readonly run: RunFrames;
  readonly index: number;
  /** Of the heads that the run has at the step. */
  readonly ids: readonly number[];
  /** Of each, the blocks that it holds raw beyond its recent window. */
  readonly held: readonly ReadonlySet<number>[];
  /** The parameters of a live session; null for a recording. */
  readonly live: RunConfig | null;
  /** Nothing of the heads can be changed. */
  readonly isFixed: boolean;
}

export function HeadTable({ heads, run, index, ids, held, live, isFixed }: HeadTableProps) {
  const config = live ?? run.configAt(index);
  const cues = config ? headCues(config) : [];
  const muted = config ? mutedHeads(config) : [];
  const routing = run.routingAt(index);
  const novelty = noveltyOf(held);
  const reads = run.readsUpTo(index);
  const several = ids.filter((id) => id !== STAGING_HEAD);
  return (
    <>
      <div className="head-table">
        <table className="figures" translate="no" aria-label="Head by head">
          <thead>
            <tr>
              <th scope="col">Head</th>
              <th scope="col">Cue</th>
              <th scope="col">Share</th>
              <th scope="col">Slots</th>
              <th scope="col">Steps read</th>
              <th scope="col">Utility</th>
              <th scope="col">Held alone</th>
              <th scope="col">Gain, nats a token</th>
              <th scope="col">Gain per 1,000 slots</th>
            </tr>
          </thead>
          <tbody>
            {ids.map((id, at) => {
              const own = run.ofHead(id);
              const frame = own?.frameAt(index);
              const gains = own && frame ? own.gainsUpTo(frame.step) : [];
              return (
                <tr key={id}>
                  <th scope="row">{muted.includes(id) ? `${headName(id)}, muted` : headName(id)}</th>
                  <CueCells head={id} cue={cues[id]} heads={isFixed || several.length < 2 ? null : heads} />
                  <td>{frame ? `${frame.usedTokens} of ${frame.budgetTokens}` : '–'}</td>
                  <td>{readWords(id, reads)}</td>
                  <td>{routing ? routing.utilities[id]?.toFixed(2) : '–'}</td>
                  <td>{held[at]?.size ? `${Math.round(100 * novelty[at]!)}%` : '–'}</td>
                  <td>{gainWords(gains, config)}</td>
                  <td>{gainPerSlotsWords(gains, frame?.usedTokens ?? 0)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {several.length > 1 && <OverlapTable heads={several} held={held} />}
      </div>
      <p className="muted head-lanes-words">
        Gain: how much worse the others would read the next tokens without the head, mean of all measurements
        so far; measured with ΔNLL while text comes in.
      </p>
    </>
  );
}

interface CueCellsProps {
  readonly head: number;
  readonly cue: WeightedCue | undefined;
  /** Null where nothing can be changed. */
  readonly heads: Heads | null;
}

function CueCells({ head, cue, heads }: CueCellsProps) {
  if (!cue) {
    return (
      <>
        <td>–</td>
        <td>–</td>
      </>
    );
  }
  if (!heads) {
    return (
      <>
        <td>{cue.cue}</td>
        <td>{cue.weight}</td>
      </>
    );
  }
  const shares = Array.from({ length: Math.max(MOST_SHARES, cue.weight) }, (_, share) => share + 1);
  return (
    <>
      <td>
        <select
          aria-label={`Cue of head ${head}`}
          value={cue.cue}
          onChange={({ target }) => void heads.setCue(head, { cue: target.value as HeadCue })}
        >
          {HEAD_CUES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </td>
      <td>
        <select
          aria-label={`Share of head ${head}`}
          value={cue.weight}
          onChange={({ target }) => void heads.setCue(head, { weight: Number(target.value) })}
        >
          {shares.map((share) => (
            <option key={share}>{share}</option>
          ))}
        </select>
      </td>
    </>
  );
}

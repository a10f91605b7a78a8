/** The heads of a run as stacked lanes over one token axis, all at the shown step; nothing where there is but one. */
import { Headphones, TableProperties, VolumeX } from 'lucide-react';
import { useStore } from 'zustand';
import { mutedHeads, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { hasHead } from '../../model/run.ts';
import { CompareHeadsButton } from '../../view/compare-heads-button.tsx';
import { Fetched } from '../../view/fetched.tsx';
import { useModel, useRunView, useSession, useViewport } from '../../view/hooks.ts';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { drawLane, drawOverlap, heldBlocks } from './draw-lanes.ts';
import { type Heads, whyFixed } from './heads.ts';
import { LaneCanvas } from './lane-canvas.tsx';
import { coverageWords, laneName, routingWords, stagingWords } from './lane-words.ts';

interface HeadLanesProps {
  readonly heads: Heads;
  /** The token axis under the lanes: its left edge and width. */
  readonly left: number;
  readonly matrixWidth: number;
  /** What lies right of it. */
  readonly room: number;
}

/** A lane's name and acts stand beside its axis where that leaves them so much room; else above it. */
const BESIDE_ROOM = 196;

const LANES_SLOW_MS = 100;

export function HeadLanes({ heads, left, matrixWidth, room }: HeadLanesProps) {
  const view = useRunView();
  const { shown: shownRun } = useModel();
  const isTableOpen = useStore(heads.store, (state) => state.tableOpen);
  const index = useShownIndexSlowly(LANES_SLOW_MS);
  const window = useViewport((state) => state.tokens);
  const shown = useViewport((state) => state.head);
  const config = useSession((state) => state.session?.config ?? null);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const { run } = view.source;
  const routing = run.routingAt(index);
  const atStep = run.configAt(index);
  const ids = run.headIds.filter((id) => atStep === null || hasHead(atStep, id));
  if (ids.length < 2) return null;
  const several = ids.filter((id) => id !== STAGING_HEAD);
  const held = heldBlocks(run, several, index);
  const axis = { left, width: matrixWidth, window };
  const live = shownRun.isLive ? config : null;
  const why = whyFixed(shownRun.isLive, readOnly);
  const inForce = live ?? atStep;
  const muted = inForce ? mutedHeads(inForce) : [];
  return (
    <section
      className={`head-lanes${room < BESIDE_ROOM ? ' is-stacked' : ''}`}
      aria-label="Heads at the shown step"
    >
      {ids.map((id) => {
        const frame = run.ofHead(id)?.frameAt(index);
        const isRead = id !== STAGING_HEAD && (routing?.chosen.includes(id) ?? true);
        const name = laneName(id, atStep);
        return (
          <div
            key={id}
            className={`head-lane${shown === id ? ' is-shown' : ''}${isRead ? '' : ' is-unread'}`}
          >
            <LaneCanvas
              label={`${name}: ${frame ? `${frame.usedTokens} of ${frame.budgetTokens} slots` : 'not there yet'}`}
              {...axis}
              draw={(surface, scene) => {
                drawLane(surface, run.ofHead(id)?.layoutAt(index) ?? [], scene);
              }}
              stamp={`${id} ${index} ${run.frameCount}`}
            />
            <button
              type="button"
              className="head-lane-name"
              aria-pressed={shown === id}
              title={`Show the working context of ${name} below`}
              onClick={() => {
                view.showHead(id);
              }}
            >
              {name}
            </button>
            {id !== STAGING_HEAD && (
              <span className="head-lane-acts">
                <IconButton
                  icon={Headphones}
                  label={`Read head ${id} alone`}
                  why={why}
                  pressed={several.every((other) => muted.includes(other) !== (other === id))}
                  onClick={() => void heads.solo(id)}
                />
                <IconButton
                  icon={VolumeX}
                  label={`Leave head ${id} out`}
                  why={why}
                  pressed={muted.includes(id)}
                  onClick={() => void heads.toggleMute(id)}
                />
              </span>
            )}
          </div>
        );
      })}
      {several.length > 1 && (
        <div className="head-lane">
          <LaneCanvas
            label="Blocks that two heads or more hold raw"
            {...axis}
            draw={(surface, scene) => {
              drawOverlap(surface, held, scene);
            }}
            stamp={`overlap ${index} ${run.frameCount}`}
          />
          <span className="head-lane-name">Held by several</span>
        </div>
      )}
      <div className="head-lanes-foot">
        <p className="muted head-lanes-words">
          {several.length > 1 && `${routingWords(routing)} ${coverageWords(held)} `}
          {stagingWords(run.stagingAt(index), run.stagingUseUpTo(index))}
          {why !== null && ` ${why} None can be read alone or left out here.`}
        </p>
        <IconButton
          icon={TableProperties}
          label="Each head’s cue, share, use and worth"
          text="Head by head"
          pressed={isTableOpen}
          onClick={() => {
            heads.toggleTable();
          }}
        />
        {live && <CompareHeadsButton heads={live.heads} />}
      </div>
      {isTableOpen && (
        <Fetched
          load={loadTable}
          properties={{ heads, run, index, ids: several, held, live, isFixed: why !== null }}
          named="The table of heads"
        />
      )}
    </section>
  );
}

/** Its code comes when it is first opened. */
async function loadTable() {
  return (await import('./head-table.tsx')).HeadTable;
}

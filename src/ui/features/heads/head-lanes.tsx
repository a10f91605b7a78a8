/** The heads of a run as stacked lanes over one token axis, all at the shown step; nothing where there is but one. */
import { Columns2, Headphones, TableProperties, VolumeX } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { mutedHeads, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { hasHead } from '../../model/run.ts';
import { CommandButton } from '../../view/command-button.tsx';
import { useModel, useRunView, useSession, useViewport } from '../../view/hooks.ts';
import { readPalette } from '../../view/palette.ts';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import { CanvasLayer } from '../../widgets/canvas-layer.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { Loaded } from '../../widgets/loaded.tsx';
import { drawLane, drawOverlap, heldBlocks, type LaneScene } from './draw-lanes.ts';
import type { Heads } from './heads.ts';
import { coverageWords, laneName, routingWords, stagingWords } from './lane-words.ts';

interface HeadLanesProps {
  readonly heads: Heads;
  /** The token axis under the lanes: its left edge and width. */
  readonly left: number;
  readonly matrixWidth: number;
}

const LANES_SLOW_MS = 100;

export function HeadLanes({ heads, left, matrixWidth }: HeadLanesProps) {
  const view = useRunView();
  const { shown: shownRun, problems } = useModel();
  const [isTableOpen, setTableOpen] = useState(false);
  const index = useShownIndexSlowly(LANES_SLOW_MS);
  const window = useViewport((state) => state.tokens);
  const shown = useViewport((state) => state.head);
  const config = useSession((state) => state.session?.config ?? null);
  const { run } = view.source;
  const routing = run.routingAt(index);
  const atStep = run.configAt(index);
  const ids = run.headIds.filter((id) => atStep === null || hasHead(atStep, id));
  if (ids.length < 2) return null;
  const several = ids.filter((id) => id !== STAGING_HEAD);
  const held = heldBlocks(run, several, index);
  const muted = config ? mutedHeads(config) : [];
  const axis = { left, width: matrixWidth, window };
  // A recording has its heads behind it: nothing of them can be changed.
  const live = shownRun.isLive ? config : null;
  return (
    <section className="head-lanes" aria-label="Heads at the shown step">
      {ids.map((id) => {
        const frame = run.ofHead(id)?.frameAt(index);
        const isRead = id !== STAGING_HEAD && (routing?.chosen.includes(id) ?? true);
        const name = laneName(id, atStep);
        return (
          <div
            key={id}
            className={`head-lane${shown === id ? ' is-shown' : ''}${isRead ? '' : ' is-unread'}`}
          >
            <Lane
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
                  disabled={live === null}
                  pressed={several.every((other) => muted.includes(other) !== (other === id))}
                  onClick={() => void heads.solo(id)}
                />
                <IconButton
                  icon={VolumeX}
                  label={`Leave head ${id} out`}
                  disabled={live === null}
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
          <Lane
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
          {stagingWords(run.stagingAt(index))}
        </p>
        <IconButton
          icon={TableProperties}
          label="Each head’s cue, share, use and worth"
          text="Head by head"
          pressed={isTableOpen}
          onClick={() => {
            setTableOpen(!isTableOpen);
          }}
        />
        {live && (
          <CommandButton
            id="compare-heads"
            icon={Columns2}
            text={live.heads === 1 ? 'Compare with four heads' : 'Compare with one window'}
          />
        )}
      </div>
      {isTableOpen && (
        <Loaded
          load={loadTable}
          properties={{ heads, run, index, ids: several, held, live }}
          onFailure={(error) => {
            problems.reportError('The table of heads could not be shown', error);
          }}
        />
      )}
    </section>
  );
}

/** Its code comes when it is first opened. */
async function loadTable() {
  return (await import('./head-table.tsx')).HeadTable;
}

interface LaneProps extends Pick<LaneScene, 'left' | 'width' | 'window'> {
  readonly label: string;
  /** Another one means that the lane shows something else. */
  readonly stamp: string;
  readonly draw: (surface: CanvasRenderingContext2D, scene: LaneScene) => void;
}

function Lane({ label, stamp, draw, left, width, window }: LaneProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  useEffect(() => {
    latest.current = draw;
  });
  useEffect(() => {
    const layer = new CanvasLayer(canvas.current!);
    layer.fit();
    const palette = readPalette(canvas.current!);
    layer.clear();
    latest.current(layer.context, { left, width, window, height: layer.height, palette });
  }, [stamp, left, width, window]);
  return <canvas ref={canvas} role="img" aria-label={label} />;
}

/** What the colours mean, and the switch between the two colourings. */
import { SCORE_CLASSES } from '../../view/palette.ts';
import { useChordWords, useRunView, useViewport } from '../../view/hooks.ts';

const LOD_NAMES = [
  'LOD0: raw tokens',
  'LOD1: a gist of 32 tokens',
  'LOD2: a gist of 1,024 tokens',
  'LOD3: a gist of 32,768 tokens',
  'LOD4: a gist of 1,048,576 tokens',
] as const;
/** Levels of a short history; the coarser ones appear once they can. */
const USUAL_LODS = 4;

export function Legend() {
  const { viewport } = useRunView();
  const key = useChordWords()('c').join(' ');
  const colourBy = useViewport((state) => state.colourBy);
  return (
    <div className="legend">
      {colourBy === 'lod' ? (
        <ul aria-label="Levels of detail">
          {LOD_NAMES.slice(0, USUAL_LODS).map((name, lod) => (
            <li key={name} title={name}>
              <i style={{ background: `var(--lod-${lod})` }} />
              {lod === 0 ? 'raw' : `LOD${lod}`}
            </li>
          ))}
        </ul>
      ) : (
        <div className="legend-ramp" aria-label="Scores from −1, collapse me, to +1, expand me">
          <span>−1</span>
          {Array.from({ length: SCORE_CLASSES }, (_, i) => (
            <i key={i} style={{ background: `var(--score-${i})` }} />
          ))}
          <span>+1</span>
        </div>
      )}
      <div className="segmented" role="group" aria-label="Colour by">
        {(['lod', 'score'] as const).map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={colourBy === choice}
            title={choice === 'lod' ? `Colour by level of detail (${key})` : `Colour by score (${key})`}
            onClick={() => {
              viewport.set({ colourBy: choice });
            }}
          >
            {choice === 'lod' ? 'LOD' : 'Score'}
          </button>
        ))}
      </div>
    </div>
  );
}

/** A block of a recording: what the trace tells of it. Its text and tree stay where it was recorded. */
import { ActionHistory, ScoreHistory } from './block-story.tsx';
import { useRecording } from '../../view/hooks.ts';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { BlockHeading } from './block-heading.tsx';

/** Characters of a gist of many tokens that are shown. */
const LONGEST_TEXT = 4000;

export function RecordedBlock({ block }: { readonly block: BlockRef }) {
  const { lod, start, end } = block;
  const index = useShownIndexSlowly();
  const question = useRecording((state) => state.recording?.question ?? null);
  const isGold = question?.record.gold?.some(([from, to]) => from < end && start < to) ?? false;
  return (
    <div className="inspector" aria-label="Selected block">
      <BlockHeading block={block}>
        <p className="presence">
          {question === null
            ? 'In a recording: a trace keeps scores and actions, not the text.'
            : `In the recorded question${isGold ? '; it holds the answer' : ''}.`}
        </p>
      </BlockHeading>
      {question !== null && (
        <section>
          <h4>{lod === 0 ? 'Text' : 'Text it stands for'}</h4>
          <p className={`block-text ${lod === 0 ? '' : 'is-gist'}`}>
            {question.textOf(start, end).slice(0, LONGEST_TEXT) || '(not in the records)'}
          </p>
        </section>
      )}
      <ScoreHistory block={block} index={index} />
      <ActionHistory block={block} index={index} />
    </div>
  );
}

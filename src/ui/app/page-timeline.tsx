/** The timeline of the shown run, with heads as lanes, the story of a preset or a recorded question over it, the tree explorer over its rows. */
import { type ComponentProps, useState } from 'react';
import type { HeadLanes } from '../features/heads/head-lanes.tsx';
import { PresetStory } from '../features/presets/preset-story.tsx';
import { TimelineToolbar } from '../features/timeline/timeline-toolbar.tsx';
import { Timeline } from '../features/timeline/timeline.tsx';
import { Fetched } from '../view/fetched.tsx';
import { useRecording, useRunView, useViewport } from '../view/hooks.ts';
import { useShownIndexSlowly } from '../view/shown-frame.ts';
import { usePage } from './page-providers.tsx';

/** How often a run is looked at for whether it has several heads by now. */
const HEADS_SLOW_MS = 100;

export function PageTimeline() {
  const { presets, explorer, heads, tellTimelineLayout } = usePage();
  const [axis, setAxis] = useState({ left: 0, matrixWidth: 0, room: 0 });
  const explorerOpen = useViewport((state) => state.explorerOpen);
  return (
    <Timeline
      label="Timeline"
      onLayout={(layout) => {
        tellTimelineLayout(layout);
        const { left, matrixWidth, width } = layout;
        setAxis({ left, matrixWidth, room: width - left - matrixWidth });
      }}
      cover={({ left, matrixWidth }) =>
        explorerOpen && (
          <Fetched
            load={loadExplorer}
            properties={{ explorer, left, matrixWidth }}
            named="The tree explorer"
          />
        )
      }
    >
      <PresetStory presets={presets} />
      <FetchedQuestionCard />
      <TimelineToolbar />
      <FetchedHeadLanes heads={heads} {...axis} />
    </Timeline>
  );
}

/** Nothing where no recorded question is shown. */
function FetchedQuestionCard() {
  const isAsked = useRecording((state) => (state.recording?.question ?? null) !== null);
  return isAsked && <Fetched load={loadQuestionCard} named="The recorded question" />;
}

/** Nothing until a run has several heads. */
function FetchedHeadLanes(properties: ComponentProps<typeof HeadLanes>) {
  const { run } = useRunView().source;
  useShownIndexSlowly(HEADS_SLOW_MS);
  return run.headIds.length > 1 && <Fetched load={loadHeadLanes} properties={properties} named="The heads" />;
}

async function loadQuestionCard() {
  return (await import('../features/records/question-card.tsx')).QuestionCard;
}

async function loadHeadLanes() {
  return (await import('../features/heads/head-lanes.tsx')).HeadLanes;
}

async function loadExplorer() {
  return (await import('../features/explorer/tree-explorer.tsx')).TreeExplorer;
}

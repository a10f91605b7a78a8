/** The timeline of the shown run, with heads as lanes, the story of a preset or a recorded question over it, the tree explorer over its rows. */
import { type ComponentProps, useState } from 'react';
import type { TreeExplorer } from '../features/explorer/tree-explorer.tsx';
import { HeadLanes } from '../features/heads/head-lanes.tsx';
import { PresetStory } from '../features/presets/preset-story.tsx';
import { QuestionCard } from '../features/records/question-card.tsx';
import { TimelineToolbar } from '../features/timeline/timeline-toolbar.tsx';
import { Timeline } from '../features/timeline/timeline.tsx';
import { useModel, useViewport } from '../view/hooks.ts';
import { Loaded } from '../widgets/loaded.tsx';
import { usePage } from './page-providers.tsx';

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
        explorerOpen && <FetchedExplorer explorer={explorer} left={left} matrixWidth={matrixWidth} />
      }
    >
      <PresetStory presets={presets} />
      <QuestionCard />
      <TimelineToolbar />
      <HeadLanes heads={heads} {...axis} />
    </Timeline>
  );
}

/** Its code comes when it is first opened. */
function FetchedExplorer(properties: ComponentProps<typeof TreeExplorer>) {
  const { problems } = useModel();
  return (
    <Loaded
      load={loadExplorer}
      properties={properties}
      onFailure={(error) => {
        problems.reportError('The tree explorer could not be shown', error);
      }}
    />
  );
}

async function loadExplorer() {
  return (await import('../features/explorer/tree-explorer.tsx')).TreeExplorer;
}

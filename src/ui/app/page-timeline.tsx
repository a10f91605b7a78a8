/** The timeline of the shown run, with the story of a preset or a recorded question over it and the tree explorer over its rows. */
import { TreeExplorer } from '../features/explorer/tree-explorer.tsx';
import { PresetStory } from '../features/presets/preset-story.tsx';
import { QuestionCard } from '../features/records/question-card.tsx';
import { TimelineToolbar } from '../features/timeline/timeline-toolbar.tsx';
import { Timeline } from '../features/timeline/timeline.tsx';
import { useViewport } from '../view/hooks.ts';
import { usePage } from './page-providers.tsx';

export function PageTimeline() {
  const { presets, explorer, tellTimelineLayout } = usePage();
  const explorerOpen = useViewport((state) => state.explorerOpen);
  return (
    <Timeline
      label="Timeline"
      onLayout={tellTimelineLayout}
      cover={({ left, matrixWidth }) =>
        explorerOpen && <TreeExplorer explorer={explorer} left={left} matrixWidth={matrixWidth} />
      }
    >
      <PresetStory presets={presets} />
      <QuestionCard />
      <TimelineToolbar />
    </Timeline>
  );
}

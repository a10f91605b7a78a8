/** The page's frame: bars, panels and their layout on wide and narrow screens. */
import { Activity, ListChecks, MessageSquare, ScanSearch, SlidersHorizontal } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { BranchBanner } from '../features/branch/branch-banner.tsx';
import { ChatPanel } from '../features/chat/chat-panel.tsx';
import { DocumentsPanel } from '../features/documents/documents-panel.tsx';
import { ParametersPanel } from '../features/parameters/parameters-panel.tsx';
import { PresetsPanel } from '../features/presets/presets-panel.tsx';
import { ProbesPanel } from '../features/probes/probes-panel.tsx';
import { PruningPanel } from '../features/pruning/pruning-panel.tsx';
import { RecordingBanner } from '../features/share/recording-banner.tsx';
import { TransferBanner } from '../features/share/transfer-banner.tsx';
import { LEFT_WIDTH, RIGHT_WIDTH, type MobileTab, resolvedTheme } from '../model/shell.ts';
import { Tour } from '../features/tour/tour.tsx';
import { DefinitionsDialog } from './definitions-dialog.tsx';
import { FileReview } from '../features/documents/file-review.tsx';
import { OpenDialog } from './open-dialog.tsx';
import { Problems } from '../view/problems.tsx';
import { ErrorBoundary } from '../widgets/error-boundary.tsx';
import { Fetched } from '../view/fetched.tsx';
import { Splitter } from '../widgets/splitter.tsx';
import { Tabs } from '../widgets/tabs.tsx';
import { TopBar } from './top-bar.tsx';
import { Transport } from './transport.tsx';
import { useModel, useSession, useShell } from '../view/hooks.ts';
import { openLinkedExample } from './start.ts';
import { type Page, listen } from './page.ts';
import { PageProviders, usePage } from './page-providers.tsx';
import { PageTimeline } from './page-timeline.tsx';

/** Too narrow for three panels side by side, or too low for what stands above and below them. */
const NARROW = '(max-width: 960px), (max-height: 480px)';
/** Too low for bars above and below a panel: the page scrolls, and the panels are chosen at its side or top. */
const LOW = '(max-height: 480px)';

export function App({ page }: { readonly page: Page }) {
  useEffect(() => listen(page, (link) => openLinkedExample(page, link)), [page]);
  return (
    <PageProviders page={page}>
      <ErrorBoundary name="Page">
        <Frame />
      </ErrorBoundary>
    </PageProviders>
  );
}

function Frame() {
  const { branch, compare, tour } = usePage();
  const narrow = useMedia(NARROW);
  const low = useMedia(LOW);
  const definition = useShell((state) => state.definition);
  useTheme();
  return (
    <div className={`app ${narrow ? 'app-narrow' : 'app-wide'} ${low ? 'app-low' : ''}`}>
      <ErrorBoundary name="Top bar">
        <TopBar />
      </ErrorBoundary>
      <ReadOnlyBanner />
      <ErrorBoundary name="Recording">
        <RecordingBanner />
        <TransferBanner />
      </ErrorBoundary>
      <ErrorBoundary name="Branch">
        <BranchBanner
          branch={branch}
          onCompare={(originalId, branchId) => {
            compare.openSessions(originalId, branchId);
          }}
        />
      </ErrorBoundary>
      <div className="stage">
        {narrow && <TabBar />}
        {narrow ? <NarrowMain /> : <WideMain />}
        <ErrorBoundary name="Playback">
          <Transport />
        </ErrorBoundary>
      </div>
      <ErrorBoundary name="Problems">
        <Problems />
      </ErrorBoundary>
      <ErrorBoundary name="Tour">
        <Tour progress={tour} />
      </ErrorBoundary>
      <OpenDialog />
      <FileReview />
      <ErrorBoundary name="Definitions">{definition !== null && <DefinitionsDialog />}</ErrorBoundary>
    </div>
  );
}

function WideMain() {
  const { shell } = useModel();
  const { leftOpen, rightOpen, leftWidth, rightWidth } = useShell((state) => state);
  return (
    <main className="main">
      {leftOpen && (
        <>
          <aside className="side" style={{ width: leftWidth }} aria-label="Setup">
            <SetupPanels />
          </aside>
          <Splitter
            label="Width of the setup panel"
            side="left"
            width={leftWidth}
            limits={LEFT_WIDTH}
            onWidth={(width) => {
              shell.setState({ leftWidth: width });
            }}
          />
        </>
      )}
      <ErrorBoundary name="Timeline">
        <PageTimeline />
      </ErrorBoundary>
      {rightOpen && (
        <>
          <Splitter
            label="Width of the chat panel"
            side="right"
            width={rightWidth}
            limits={RIGHT_WIDTH}
            onWidth={(width) => {
              shell.setState({ rightWidth: width });
            }}
          />
          <aside className="side side-right" style={{ width: rightWidth }} aria-label="Chat and inspector">
            <RightTabs />
          </aside>
        </>
      )}
    </main>
  );
}

function SetupPanels() {
  const { presets, probes } = usePage();
  return (
    <>
      <ErrorBoundary name="Documents">
        <DocumentsPanel />
      </ErrorBoundary>
      <ErrorBoundary name="Presets">
        <PresetsPanel presets={presets} />
      </ErrorBoundary>
      <ErrorBoundary name="Own questions">
        <ProbesPanel probes={probes} />
      </ErrorBoundary>
      <ErrorBoundary name="Parameters">
        <ParametersPanel />
      </ErrorBoundary>
      <ErrorBoundary name="Pruning">
        <PruningPanel />
      </ErrorBoundary>
    </>
  );
}

function RightTabs() {
  const { shell } = useModel();
  const shown = useShell((state) => state.rightTab);
  const hasQuestions = useHasQuestions();
  return (
    <Tabs
      label="Right panel"
      tabs={[
        {
          id: 'chat',
          title: 'Chat',
          panel: (
            <ErrorBoundary name="Chat">
              <ChatPanel />
            </ErrorBoundary>
          ),
        },
        {
          id: 'inspector',
          title: 'Inspector',
          panel: (
            <ErrorBoundary name="Inspector">
              <Fetched load={loadInspector} named="The inspector" />
            </ErrorBoundary>
          ),
        },
        ...(hasQuestions
          ? [
              {
                id: 'questions' as const,
                title: 'Questions',
                panel: (
                  <ErrorBoundary name="Questions">
                    <Fetched load={loadQuestions} named="The recorded questions" />
                  </ErrorBoundary>
                ),
              },
            ]
          : []),
      ]}
      shown={shown}
      onShow={(rightTab) => {
        shell.setState({ rightTab });
      }}
    />
  );
}

async function loadInspector() {
  return (await import('../features/inspector/inspector-panel.tsx')).InspectorPanel;
}

async function loadQuestions() {
  return (await import('../features/records/questions-panel.tsx')).QuestionsPanel;
}

/** One panel at a time; zoom and playhead live in stores and outlast the switch. */
function NarrowMain() {
  const tab = useShell((state) => state.mobileTab);
  return (
    <main className="main main-narrow">
      {tab === 'timeline' && (
        <ErrorBoundary name="Timeline">
          <PageTimeline />
        </ErrorBoundary>
      )}
      {tab === 'chat' && (
        <ErrorBoundary name="Chat">
          <ChatPanel />
        </ErrorBoundary>
      )}
      {tab === 'inspector' && (
        <ErrorBoundary name="Inspector">
          <Fetched load={loadInspector} named="The inspector" />
        </ErrorBoundary>
      )}
      {tab === 'questions' && (
        <ErrorBoundary name="Questions">
          <Fetched load={loadQuestions} named="The recorded questions" />
        </ErrorBoundary>
      )}
      {tab === 'setup' && (
        <div className="side">
          <SetupPanels />
        </div>
      )}
    </main>
  );
}

const MOBILE_TABS: readonly {
  readonly id: MobileTab;
  readonly title: string;
  readonly icon: typeof Activity;
}[] = [
  { id: 'timeline', title: 'Timeline', icon: Activity },
  { id: 'chat', title: 'Chat', icon: MessageSquare },
  { id: 'inspector', title: 'Inspector', icon: ScanSearch },
  { id: 'questions', title: 'Questions', icon: ListChecks },
  { id: 'setup', title: 'Setup', icon: SlidersHorizontal },
];

/** True while a file of an evaluation's questions is open. */
function useHasQuestions(): boolean {
  return useStore(useModel().questions.store, ({ records }) => records !== null);
}

function TabBar() {
  const { shell } = useModel();
  const tab = useShell((state) => state.mobileTab);
  const hasQuestions = useHasQuestions();
  return (
    <nav className="tab-bar" aria-label="Panels">
      {MOBILE_TABS.filter(({ id }) => id !== 'questions' || hasQuestions).map(({ id, title, icon: Icon }) => (
        <button
          key={id}
          type="button"
          aria-current={tab === id ? 'page' : undefined}
          onClick={() => {
            shell.setState({ mobileTab: id });
          }}
        >
          <Icon size={18} aria-hidden />
          <span>{title}</span>
        </button>
      ))}
    </nav>
  );
}

function ReadOnlyBanner() {
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  if (!readOnly) return null;
  return (
    <p className="banner" role="status">
      This session is open in another tab, which writes it. Here you can look and play back, and what is added
      there comes in. Close the other tab to change it here.
    </p>
  );
}

function useTheme(): void {
  const theme = useShell((state) => state.theme);
  const light = useMedia('(prefers-color-scheme: light)');
  useEffect(() => {
    document.documentElement.dataset.theme = resolvedTheme(theme);
  }, [theme, light]);
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => globalThis.matchMedia(query).matches);
  useEffect(() => {
    const media = globalThis.matchMedia(query);
    const listener = () => {
      setMatches(media.matches);
    };
    media.addEventListener('change', listener);
    return () => {
      media.removeEventListener('change', listener);
    };
  }, [query]);
  return matches;
}

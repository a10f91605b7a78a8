/** The first minute: boot the engine, bring back the last session, or create one from the example and run it. */
import type { BootReport, SessionRecord } from '../../runtime/engine/protocol/protocol.ts';
import type { Model } from '../model/model.ts';
import type { DeviceChoice } from '../model/model-manager.ts';
import { listsOf, sessionsOf } from '../model/session.ts';
import type { Page } from './page.ts';
import { applyLink } from '../features/share/address-sync.ts';
import type { LinkState } from '../features/share/link-state.ts';
import { targetOf } from '../features/share/page-link.ts';
import { presetsFor } from '../model/presets.ts';
import { type Example, loadExample } from '../model/example.ts';

/**
 * Boot, on another device if one is named, and bring the page to life. Never throws; failures become problems.
 */
export async function start(page: Page, device: Partial<DeviceChoice> = {}): Promise<void> {
  const { engine, mirror, actions, models, problems, example: store } = page.model;
  const opened = mirror.getState().session?.record.id;
  const link = opened === undefined ? page.pageLink.readAddress() : null;
  const example = loadExample().then(
    (loaded) => {
      store.setState({ example: loaded });
      return loaded;
    },
    (error: unknown) => {
      problems.reportError('The embedded example could not be loaded', error);
      return null;
    },
  );
  try {
    const boot = opened === undefined ? await models.bootFirst(device) : await models.boot(device);
    const lists = listsOf(await engine.send({ kind: 'listSessions' }));
    const { sessions } = lists;
    mirror.setState(lists);
    const loaded = opened === undefined && link ? await example : null;
    const own = sessionsOf(boot.model, sessions);
    const linked = sessions.find(({ id }) => id === link?.session);
    if (linked !== undefined && !own.includes(linked)) {
      // No session is open, and another model may be loaded.
      mirror.setState({ phase: 'failed' });
      await models.openSession(linked);
      if (mirror.getState().session !== null) return;
    } else if (link && loaded) {
      await openLink(page, link, boot, sessions, loaded);
      return;
    }
    const last = own.find(({ id }) => id === opened) ?? own[0];
    if (last) {
      await actions.open(last.id);
      await resume(page.model);
      return;
    }
    const first = await example;
    await actions.create(first?.title ?? 'First session', {}, first);
  } catch (error) {
    mirror.setState({ phase: 'failed', progress: null });
    problems.reportError('The engine could not start', error);
  }
}

/** Ingest what was still waiting when the session was closed. */
async function resume({ mirror, actions }: Model): Promise<void> {
  const state = mirror.getState().session;
  if (state && state.pendingTokens > 0 && !state.readOnly) await actions.run();
}

/** Open the example or preset that an address names which was typed into the open page. */
export async function openLinkedExample(page: Page, link: LinkState): Promise<void> {
  const { mirror, example, problems } = page.model;
  const { boot, sessions } = mirror.getState();
  const loaded = example.getState().example;
  if (!boot || !loaded) return;
  try {
    await openLink(page, link, boot, sessions, loaded);
  } catch (error) {
    problems.reportError('The address was not followed', error);
  }
}

/** Open what a link names, or the example with its parameters. */
async function openLink(
  { model, pageLink, presets }: Page,
  link: LinkState,
  boot: BootReport,
  sessions: readonly SessionRecord[],
  example: Example,
): Promise<void> {
  const { mirror, actions, problems } = model;
  const config = { ...boot.defaults, ...link.parameters };
  const target = targetOf(link, sessions, { title: example.title, config });
  if (target.kind === 'session') {
    await actions.open(target.id);
    await resume(model);
    await applyLink(link, model, pageLink);
    return;
  }
  if (target.kind === 'preset') {
    pageLink.show(link);
    await presets.start(target.id, link.parameters);
    if (link.parameters && presetsFor(boot.defaults).some(({ id, change }) => id === target.id && change)) {
      problems.report({
        title: 'The parameters of the link were not used',
        message: 'This preset changes parameters itself, which is its story.',
        kept: 'The rest of the link was applied.',
        tryNext: 'Change them in the panel once the story is told.',
        tone: 'info',
      });
    }
    return;
  }
  // The linked place is reached sooner at full speed; the reader came to see that place.
  if (link.step !== undefined) mirror.setState({ pace: 0 });
  try {
    await actions.create(example.title, link.parameters, example);
  } catch (error) {
    if (!link.parameters || mirror.getState().session !== null) throw error;
    problems.reportError('The parameters of the link were not used', error);
    await actions.create(example.title, {}, example);
  }
  pageLink.show(link);
  if (target.isSubstitute) {
    problems.report({
      title: 'The linked session is in another browser',
      message: 'A link does not carry the text of a session. The example is shown instead.',
      kept: 'Parameters and view of the link were applied to it.',
      tryNext: 'Ask for the trace as a file and open it from the session menu.',
      tone: 'info',
    });
  }
}

/** The page's entry: the app on the real engine. */
import { createEngineClient } from '../../runtime/engine/client.ts';
import { isolate } from './isolation.ts';
import { mount } from './mount.tsx';
import { trustOwnScripts } from '../../base/trusted-scripts.ts';

trustOwnScripts(globalThis);
if (!(await isolate(globalThis))) mount(document.getElementById('root')!, createEngineClient());

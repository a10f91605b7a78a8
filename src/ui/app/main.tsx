/** The page's entry: the app on the real engine. */
import '../../base/schemas-without-eval.ts';
import { createEngineClient } from '../../runtime/engine/client.ts';
import { mount } from './mount.tsx';
import { trustOwnScripts } from './trusted-scripts.ts';

trustOwnScripts(globalThis);
mount(document.getElementById('root')!, createEngineClient());

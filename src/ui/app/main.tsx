/** The page's entry: the app on the real engine. */
import { createEngineClient } from '../../runtime/engine/client.ts';
import { mount } from './mount.tsx';

mount(document.getElementById('root')!, createEngineClient());

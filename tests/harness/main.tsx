/** The page on the fake engine. */
import { mount } from '../../src/ui/mount.tsx';
import { FakeEngine } from './fake-engine.ts';

mount(document.getElementById('root')!, new FakeEngine());

/** The page on the fake engine; `?steps=5000&budget=1024` opens with a long run. */
import { mount } from '../../src/ui/mount.tsx';
import { FakeEngine } from './fake-engine.ts';

const engine = new FakeEngine();
const parameters = new URLSearchParams(location.search);
if (parameters.has('steps'))
  engine.preload(Number(parameters.get('steps')), Number(parameters.get('budget') ?? 1024));
mount(document.getElementById('root')!, engine);

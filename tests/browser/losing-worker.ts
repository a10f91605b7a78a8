/** The engine's own worker, whose GPU a test can take away. */
import './losing-gpu.ts';
import '../../src/runtime/engine/worker.ts';

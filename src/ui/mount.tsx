/** Puts the page into an element and connects it to an engine. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { type EnginePort, connectEngine } from './run/engine-session.ts';
import { playFirstMinute } from './run/first-minute.ts';
import { start } from './run/start.ts';
import { App } from './shell/app.tsx';
import './styles/index.css';

export function mount(element: HTMLElement, engine: EnginePort): void {
  connectEngine(engine);
  createRoot(element).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  void playFirstMinute();
  void start('auto');
}

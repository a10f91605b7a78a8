/** Puts the page into an element and connects it to an engine. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { type EnginePort, connectEngine } from '../model/engine-session.ts';
import { playFirstMinute } from '../model/first-minute.ts';
import { start } from '../model/start.ts';
import { App } from './app.tsx';
import '../styles/index.css';

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

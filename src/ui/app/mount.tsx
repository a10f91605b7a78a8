/** Puts the page into an element and connects it to an engine. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { EnginePort } from '../model/engine-link.ts';
import { playFirstMinute } from './first-minute.ts';
import { createPage } from './page.ts';
import { start } from './start.ts';
import { App } from './app.tsx';
import '../styles/index.css';

export function mount(element: HTMLElement, engine: EnginePort): void {
  const page = createPage(engine);
  createRoot(element).render(
    <StrictMode>
      <App page={page} />
    </StrictMode>,
  );
  void playFirstMinute(page);
  void start(page);
}

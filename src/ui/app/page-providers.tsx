/** Hands a page's instances to the components below. */
import type { ReactNode } from 'react';
import { CommandsContext, KeyboardContext, ModelContext, RunViewContext } from '../view/hooks.ts';
import { createInstanceContext } from '../view/instance-context.ts';
import type { Page } from './page.ts';

const [PageContext, usePage] = createInstanceContext<Page>('page');
export { usePage };

interface PageProvidersProps {
  readonly page: Page;
  readonly children: ReactNode;
}

export function PageProviders({ page, children }: PageProvidersProps) {
  return (
    <PageContext value={page}>
      <ModelContext value={page.model}>
        <CommandsContext value={page.commands}>
          <KeyboardContext value={page.keyboard}>
            <RunViewContext value={page.model.view}>{children}</RunViewContext>
          </KeyboardContext>
        </CommandsContext>
      </ModelContext>
    </PageContext>
  );
}

/** What the words of the page mean; opens at the one that was asked for, over whatever dialog is open. */
import { useEffect, useRef } from 'react';
import { DEFINITIONS, type Definition } from '../../core/parameters/definitions.ts';
import { Dialog } from '../widgets/dialog.tsx';
import { useModel, useShell } from '../view/hooks.ts';

export function DefinitionsDialog() {
  const { shell } = useModel();
  const wanted = useShell((state) => state.definition);
  const list = useRef<HTMLDListElement>(null);
  useEffect(() => {
    if (wanted === null || wanted === 'all') return;
    const term = list.current?.querySelector<HTMLElement>(`#definition-${wanted}`);
    term?.scrollIntoView({ block: 'start' });
    term?.focus({ preventScroll: true });
  }, [wanted]);
  return (
    <Dialog
      title="Definitions"
      className="definitions"
      onClose={() => {
        shell.setState({ definition: null });
      }}
    >
      <dl ref={list}>
        {DEFINITIONS.map(({ id, term, text, formula, sources = [] }: Definition) => (
          <div key={id} className={id === wanted ? 'is-wanted' : ''}>
            <dt id={`definition-${id}`} tabIndex={-1}>
              {term}
            </dt>
            <dd>
              <p>{text}</p>
              {formula !== undefined && <p className="formula">{formula}</p>}
              {sources.map(({ title, address }) => (
                <p key={address} className="small">
                  <a href={address} target="_blank" rel="noreferrer">
                    {title}
                  </a>
                </p>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

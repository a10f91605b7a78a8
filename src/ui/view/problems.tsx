/** Problems as toasts: what happened, what was kept, what to try. They stay until dismissed. */
import { Info, TriangleAlert, X } from 'lucide-react';
import { useStore } from 'zustand';
import { IconButton } from '../widgets/icon-button.tsx';
import { useModel } from './hooks.ts';

export function Problems() {
  const { problems: board } = useModel();
  const problems = useStore(board.store, (state) => state.problems);
  return (
    <div className="problems" role="region" aria-label="Problems" aria-live="assertive">
      {problems.map(({ id, title, message, kept, tryNext, tone, act }) => (
        <article key={id} className={`problem problem-${tone}`}>
          {tone === 'error' ? <TriangleAlert size={18} aria-hidden /> : <Info size={18} aria-hidden />}
          <div>
            <h3>{title}</h3>
            <p>{message}</p>
            {kept !== '' && (
              <p>
                <strong>Kept:</strong> {kept}
              </p>
            )}
            {tryNext !== '' && (
              <p>
                <strong>Try:</strong> {tryNext}
              </p>
            )}
            {act && (
              <button
                type="button"
                className="button"
                onClick={() => {
                  board.dismiss(id);
                  act.run();
                }}
              >
                {act.title}
              </button>
            )}
          </div>
          <IconButton
            icon={X}
            label={`Dismiss: ${title}`}
            onClick={() => {
              board.dismiss(id);
            }}
          />
        </article>
      ))}
    </div>
  );
}

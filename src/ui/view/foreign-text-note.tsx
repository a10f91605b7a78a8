/** Says that a question or a document is not in the language of the shipped model, and the way to a real base. */
import { Languages } from 'lucide-react';
import { useStore } from 'zustand';
import { FOREIGN_NLL } from '../model/own-language.ts';
import { useCommands, useModel, useSession } from './hooks.ts';

const DIGITS = 1;

export function ForeignTextNote({ of }: { readonly of: keyof typeof FOREIGN_NLL }) {
  const { ownLanguage } = useModel();
  const commands = useCommands();
  const foreign = useStore(ownLanguage.store, (state) => state[of]);
  const sessionId = useSession((state) => state.session?.record.id);
  if (!foreign || foreign.sessionId !== sessionId) return null;
  const measured = `${foreign.nll.toFixed(DIGITS)} nats a token; its own stays under ${FOREIGN_NLL[of].toFixed(DIGITS)}`;
  return (
    <div className="foreign-text" role="note">
      <Languages size={16} aria-hidden />
      <p title={measured}>
        <q translate="no">{foreign.name}</q> is foreign to the shipped model, which learned the language of
        one small harbour and nothing else ({measured}).{' '}
        {of === 'question'
          ? 'Its answer means nothing.'
          : 'Focus over it can be watched; answers about it mean nothing.'}{' '}
        <button
          type="button"
          className="link"
          onClick={() => {
            commands.run('models');
          }}
        >
          Choose a real base
        </button>
      </p>
    </div>
  );
}

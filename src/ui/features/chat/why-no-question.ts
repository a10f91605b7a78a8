/** Whether a question can be asked now. */
import { useConversation, useSession } from '../../view/hooks.ts';

/** Why nothing can be asked now, in words; null if it can. */
export function useWhyNoQuestion(): string | null {
  const phase = useSession((state) => state.phase);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const asking = useConversation((state) => state.asking);
  if (phase === 'failed') return 'The engine did not start.';
  if (phase !== 'ready') return 'The model is still loading.';
  if (readOnly) return 'This session is open in another tab, which writes it.';
  if (asking) return 'An answer is being written.';
  return null;
}

/** What can be done with a document that was read: hide it from focus, or begin again without it. */
import { Eye, EyeOff, FileX } from 'lucide-react';
import { IconButton } from '../../widgets/icon-button.tsx';
import { canChangeSession } from '../../model/session.ts';
import { useModel, useSession, useSteering } from '../../view/hooks.ts';

/** @param title - how the document is called on the page. */
export function DocumentActs({ documentId, title }: { readonly documentId: string; readonly title: string }) {
  const { actions, steering } = useModel();
  const isHidden = useIsHidden(documentId);
  const mayAct = useSession((state) => canChangeSession(state) && state.session?.readOnly === false);
  const isAnswering = useSession((state) => state.session?.activity === 'answering');
  const busy = useSteering((state) => state.busy);
  return (
    <>
      <IconButton
        icon={isHidden ? Eye : EyeOff}
        label={isHidden ? `Show ${title} to the model again` : `Hide ${title} from focus`}
        disabled={!mayAct || busy}
        onClick={() => void steering.hideDocument(documentId, title, !isHidden)}
      />
      <IconButton
        icon={FileX}
        label={`Start a new session without ${title}`}
        disabled={!mayAct || isAnswering}
        onClick={() => void actions.leaveOut(documentId, title)}
      />
    </>
  );
}

export function useIsHidden(documentId: string): boolean {
  return useSession((state) => state.session?.hiddenDocuments.includes(documentId) ?? false);
}

import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { chatUi } from '../ui';

const MessageSheet = lazy(() => import('./MessageSheet').then((m) => ({ default: m.MessageSheet })));
const ReceiptsDialog = lazy(() => import('./ReceiptsDialog').then((m) => ({ default: m.ReceiptsDialog })));
const AcksDialog = lazy(() => import('./AcksDialog').then((m) => ({ default: m.AcksDialog })));
const ForwardDialog = lazy(() => import('./ForwardDialog').then((m) => ({ default: m.ForwardDialog })));
const JumpToDate = lazy(() => import('./JumpToDate').then((m) => ({ default: m.JumpToDate })));
const PictureViewer = lazy(() => import('./PictureViewer').then((m) => ({ default: m.PictureViewer })));

/** What opens over the conversation. */
export function Dialogs({
  conversation,
  dating,
  onDate,
}: {
  conversation: string;
  /** Whether a day is being chosen; undefined until that was first asked for. */
  dating: boolean | undefined;
  onDate: (open: boolean) => void;
}) {
  const sheet = useStore(chatUi, (s) => s.sheet !== undefined);
  const receipts = useStore(chatUi, (s) => s.receipts !== undefined);
  const acks = useStore(chatUi, (s) => s.acks !== undefined);
  const forwarding = useStore(chatUi, (s) => s.forwarding !== undefined);
  const viewing = useStore(chatUi, (s) => s.viewing !== undefined);
  return (
    <Suspense>
      {sheet ? <MessageSheet conversation={conversation} /> : null}
      {receipts ? <ReceiptsDialog conversation={conversation} /> : null}
      {acks ? <AcksDialog conversation={conversation} /> : null}
      {forwarding ? <ForwardDialog /> : null}
      {dating === undefined ? null : (
        <JumpToDate
          conversation={conversation}
          open={dating}
          onClose={() => onDate(false)}
          onFound={(seq) => chatUi.setState({ jump: { seq } })}
        />
      )}
      {viewing ? <PictureViewer /> : null}
    </Suspense>
  );
}

import { lazy, Suspense } from 'react';
import { useStore } from 'zustand';
import { chatUi } from '../ui';

const MessageSheet = lazy(() => import('./MessageSheet').then((m) => ({ default: m.MessageSheet })));
const ReceiptsDialog = lazy(() => import('./ReceiptsDialog').then((m) => ({ default: m.ReceiptsDialog })));
const AcksDialog = lazy(() => import('./AcksDialog').then((m) => ({ default: m.AcksDialog })));
const ForwardDialog = lazy(() => import('./ForwardDialog').then((m) => ({ default: m.ForwardDialog })));
const find = () => import('./FindDialog');
const FindDialog = lazy(() => find().then((m) => ({ default: m.FindDialog })));
const ReadingFile = lazy(() => import('./ReadingFile').then((m) => ({ default: m.ReadingFile })));
const PictureViewer = lazy(() => import('./PictureViewer').then((m) => ({ default: m.PictureViewer })));

/** Fetches what is asked for most. */
export const ready = (): Promise<unknown> => find();

/** What opens over the conversation. */
export function Dialogs({ conversation }: { conversation: string }) {
  const sheet = useStore(chatUi, (s) => s.sheet !== undefined);
  const receipts = useStore(chatUi, (s) => s.receipts !== undefined);
  const acks = useStore(chatUi, (s) => s.acks !== undefined);
  const forwarding = useStore(chatUi, (s) => s.forwarding !== undefined);
  const finding = useStore(chatUi, (s) => s.finding);
  const viewing = useStore(chatUi, (s) => s.viewing !== undefined);
  const reading = useStore(chatUi, (s) => s.reading !== undefined);
  return (
    <Suspense>
      {sheet ? <MessageSheet conversation={conversation} /> : null}
      {receipts ? <ReceiptsDialog conversation={conversation} /> : null}
      {acks ? <AcksDialog conversation={conversation} /> : null}
      {forwarding ? <ForwardDialog /> : null}
      {finding ? <FindDialog conversation={conversation} /> : null}
      {viewing ? <PictureViewer /> : null}
      {reading ? <ReadingFile /> : null}
    </Suspense>
  );
}

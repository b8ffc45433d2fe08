import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type DragEvent, type KeyboardEvent, lazy, Suspense, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import { people, wantPeople } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { useT } from '~/i18n';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { isComposing } from '~/ui/isComposing';
import { SkeletonRows } from '~/ui/Skeleton';
import { useLayout } from '~/ui/useLayout';
import { markRead } from '../actions';
import type { HeldConversation } from '../events';
import { readConversation } from '../live';
import { Verifying } from '../marks';
import { useTitle } from '../names';
import { Composer } from '../parts/Composer';
import { takeDropped } from '../parts/dropped';
import { Header } from '../parts/Header';
import { MessageRow } from '../parts/MessageRow';
import { Timeline } from '../parts/Timeline';
import { useMembers } from '../parts/useMembers';
import { useTimeline } from '../parts/useTimeline';
import { chat } from '../store';
import { peopleOf } from '../system';
import { plainText } from '../text';
import { chatUi, closeAll, stopSelecting } from '../ui';
import styles from './Conversation.module.css';

const Details = lazy(() => import('../parts/Details').then((m) => ({ default: m.Details })));
const SelectBar = lazy(() => import('../parts/Selecting').then((m) => ({ default: m.SelectBar })));
const dialogs = () => import('../parts/Dialogs');
const Dialogs = lazy(() => dialogs().then((m) => ({ default: m.Dialogs })));
const DropHere = lazy(() => import('../parts/seldom').then((m) => ({ default: m.DropHere })));

export function ConversationScreen() {
  const t = useT();
  const { conversation: id } = useParams({ from: '/_inside/chat/$conversation' });
  const conversation = useStore(chat, (s) => s.conversations[id]);
  const list = useStore(chat, (s) => s.list);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    setMissing(false);
    if (chat.getState().conversations[id]) return;
    // A link to a conversation that the list does not hold yet.
    void readConversation(id).then((row) => setMissing(row === undefined));
  }, [id]);
  if (conversation) return <Open key={id} conversation={conversation} />;
  if (!missing || list === 'none') return <SkeletonRows />;
  return (
    <main className={styles.talk} id="content">
      <EmptyState title={t('chat:gone')} action={<Link to="/chat">{t('common:not_found.home')}</Link>} />
    </main>
  );
}

function Open({ conversation: c }: { conversation: HeldConversation }) {
  const navigate = useNavigate();
  const layout = useLayout();
  const title = useTitle(c);
  const { at, pane } = useSearch({ from: '/_inside/chat/$conversation' });
  const selecting = useStore(chatUi, (s) => s.selecting !== undefined);
  const dialog = useStore(
    chatUi,
    (s) => (s.sheet ?? s.receipts ?? s.acks ?? s.forwarding ?? s.finding ?? s.viewing ?? s.reading) !== undefined,
  );
  const [over, drop] = useDrop(c);
  const details = pane === 'details';
  const params = { conversation: c.id };
  useEffect(() => closeAll, []);
  useReady();
  useRest(c);
  const verifying = useMembers(c);
  const closePane = () => void navigate({ to: '/chat/$conversation', params, search: {}, replace: true });
  /** Escape ends one thing after the other; with nothing left to end, the conversation counts as read. */
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== 'Escape' || e.defaultPrevented || isComposing(e)) return;
    if (selecting) stopSelecting();
    else if (details) closePane();
    else markRead(c.id, c.head.seq);
  };
  return (
    <Verifying value={verifying}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape reaches it from whatever has the focus inside */}
      <div className={styles.open} data-details={details || undefined} onKeyDown={onKeyDown}>
        {details && layout === 'phone' ? null : (
          <main className={styles.talk} id="content" {...drop}>
            {over ? (
              <Suspense>
                <DropHere />
              </Suspense>
            ) : null}
            <Header conversation={c} title={title} pane={details} />
            <Messages conversation={c} title={title} at={at} />
            {selecting ? (
              <Suspense>
                <SelectBar conversation={c.id} />
              </Suspense>
            ) : (
              <Composer conversation={c} title={title} />
            )}
          </main>
        )}
        {details ? (
          <Suspense fallback={<SkeletonRows />}>
            <div className={styles.details}>
              <Details key={c.id} conversation={c} title={title} onClose={closePane} />
            </div>
          </Suspense>
        ) : null}
        <Suspense>{dialog ? <Dialogs conversation={c.id} /> : null}</Suspense>
      </div>
    </Verifying>
  );
}

const READY_MS = 2_000;

/** What opens at a tap is fetched before that: a tap without an answer is made again. */
function useReady(): void {
  useEffect(() => {
    const timer = setTimeout(
      () =>
        void dialogs()
          .then((m) => m.ready())
          .catch(() => undefined),
      READY_MS,
    );
    return () => clearTimeout(timer);
  }, []);
}

const REST_EVERY_MS = 5 * 60_000;

/** No event tells that the other one rests: time does. Asked while somebody looks. */
function useRest({ id, kind }: HeldConversation): void {
  useEffect(() => {
    if (kind !== 'direct') return;
    const look = () => document.visibilityState === 'visible' && void readConversation(id);
    look();
    const timer = setInterval(look, REST_EVERY_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [id, kind]);
}

/** Files that are dropped anywhere on the conversation go along with the next message. */
function useDrop(c: HeldConversation) {
  const [over, setOver] = useState(false);
  const takes = (e: DragEvent) => c.can.post && e.dataTransfer.types.includes('Files');
  const handlers = {
    onDragOver: (e: DragEvent) => {
      if (!takes(e)) return;
      e.preventDefault();
      setOver(true);
    },
    onDragLeave: (e: DragEvent) => !e.currentTarget.contains(e.relatedTarget as Node | null) && setOver(false),
    onDrop: (e: DragEvent) => {
      setOver(false);
      if (!takes(e)) return;
      e.preventDefault();
      takeDropped(c.id, e.dataTransfer);
    },
  };
  return [over, handlers] as const;
}

function Messages({
  conversation: c,
  title,
  at,
}: {
  conversation: HeldConversation;
  title: string;
  at: number | undefined;
}) {
  const t = useT();
  const timeline = useTimeline(c.id, at);
  const { rows, target } = timeline;
  const [start] = useState(() => {
    const anchor = chat.getState().anchors[c.id];
    return anchor
      ? { at: 'anchor' as const, anchor }
      : c.unread > 0
        ? { at: 'unread' as const }
        : { at: 'end' as const };
  });
  useEffect(() => {
    for (const row of rows) if (row.message?.body?.kind === 'system') wantPeople(peopleOf(row.message));
  }, [rows]);
  if (timeline.failed && !timeline.loaded)
    return <FailedState error={new AppError('network', 0)} retry={timeline.retry} />;
  if (!timeline.loaded) return <SkeletonRows rows={6} />;
  if (rows.length === 0)
    return <EmptyState title={t(c.kind === 'self' ? 'chat:timeline.empty_self' : 'chat:timeline.empty')} />;
  return (
    <>
      <Timeline
        id={c.id}
        rows={rows}
        label={t('chat:timeline.label', { title })}
        start={start}
        target={target}
        hasBefore={timeline.hasBefore}
        hasAfter={timeline.hasAfter}
        onNeedBefore={timeline.onNeedBefore}
        onNeedAfter={timeline.onNeedAfter}
        onPlace={timeline.onPlace}
        onEnd={timeline.onEnd}
        below={c.unread}
        above={timeline.above}
        onUnread={timeline.onUnread}
        onBack={timeline.onBack}
      >
        {(row) => (
          <MessageRow
            key={row.key}
            row={row}
            conversation={c.id}
            named={c.kind !== 'direct'}
            lit={row.seq !== undefined && row.seq === timeline.lit}
            onFollow={timeline.follow}
          />
        )}
      </Timeline>
      <Announcer conversation={c} />
    </>
  );
}

const ANNOUNCE_EVERY_MS = 3_000;

/** Tells a screen reader of new messages, not more often than every few seconds. */
function Announcer({ conversation: c }: { conversation: HeldConversation }) {
  const t = useT();
  const [said, setSaid] = useState('');
  const [from] = useState(c.head.seq);
  const last = c.last;
  useEffect(() => {
    if (!last || last.seq <= from || last.sender.id === myId() || last.body?.kind !== 'blocks') return;
    const { users } = people.getState();
    const nameOf = (id: string) => users[id]?.name ?? '';
    const text = t('chat:timeline.announce', { who: nameOf(last.sender.id), text: plainText(last.body, nameOf) });
    const timer = setTimeout(() => setSaid(text), ANNOUNCE_EVERY_MS / 3);
    return () => clearTimeout(timer);
  }, [last, from, t]);
  return (
    <p className="visually-hidden" aria-live="polite">
      {said}
    </p>
  );
}

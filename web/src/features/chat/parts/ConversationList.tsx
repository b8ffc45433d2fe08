import { useNavigate, useParams } from '@tanstack/react-router';
import { MessageSquarePlus, MessagesSquare, ScanLine, Search } from 'lucide-react';
import {
  lazy,
  type MouseEvent,
  type PointerEvent,
  type ReactNode,
  Suspense,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Virtualizer } from 'virtua';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import { watchPeople } from '~/core/watch';
import { openSearch } from '~/features/search';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { SkeletonRows } from '~/ui/Skeleton';
import { useLayout } from '~/ui/useLayout';
import type { HeldConversation } from '../events';
import { readConversations } from '../live';
import { chat } from '../store';
import styles from './ConversationList.module.css';
import { ConversationRow } from './ConversationRow';
import type { RowSpot } from './RowMenu';
import { useLongPress } from './useLongPress';

const RowMenu = lazy(() => import('./RowMenu').then((m) => ({ default: m.RowMenu })));

type Filter = 'all' | 'unread' | 'mentions' | 'direct' | 'groups';

const passes: Record<Filter, (c: HeldConversation) => boolean> = {
  all: () => true,
  unread: (c) => c.unread > 0 || c.preferences.marked_unread,
  mentions: (c) => c.mentioned,
  direct: (c) => c.kind === 'direct' || c.kind === 'self',
  groups: (c) => c.kind === 'group' || c.kind === 'all_staff',
};

export function ConversationList({ onNew, edge }: { onNew: () => void; edge?: ReactNode }) {
  const t = useT();
  const [filter, setFilter] = useState<Filter>('all');
  const phone = useLayout() === 'phone';
  const navigate = useNavigate();
  const { conversation: current } = useParams({ strict: false });
  // By parts: whatever is typed, read or scrolled in a conversation is in the same store, and no matter of the list.
  const order = useStore(chat, (s) => s.order);
  const conversations = useStore(chat, (s) => s.conversations);
  const list = useStore(chat, (s) => s.list);
  const listFailed = useStore(chat, (s) => s.listFailed);
  const shown = useMemo(() => {
    const rows = order.map((id) => conversations[id]).filter((c) => c !== undefined);
    // What is open stays in the list, or reading the last unread one would take it from under the hand.
    return rows.filter((c) => passes[filter](c) || (c.id === current && filter === 'unread'));
  }, [order, conversations, filter, current]);
  const scroller = useRef<HTMLDivElement>(null);
  useListPresence(shown);
  const [menu, setMenu] = useState<RowSpot>();
  const rows = useRowMenu(setMenu);
  const filters: { id: Filter; label: string }[] = [
    { id: 'all', label: t('chat:filter.all') },
    { id: 'unread', label: t('chat:filter.unread') },
    { id: 'mentions', label: t('chat:filter.mentions') },
    { id: 'direct', label: t('chat:filter.direct') },
    { id: 'groups', label: t('chat:filter.groups') },
  ];
  return (
    <nav className={styles.list} aria-label={t('chat:list.label')}>
      <header className={styles.head}>
        <h1>{t('chat:list.title')}</h1>
        {phone ? (
          <IconButton label={t('common:search')} onPress={openSearch}>
            <Search aria-hidden />
          </IconButton>
        ) : null}
        {phone ? (
          <IconButton label={t('common:scan')} onPress={() => void navigate({ to: '/scan' })}>
            <ScanLine aria-hidden />
          </IconButton>
        ) : null}
        <IconButton label={t('chat:new.open')} onPress={onNew}>
          <MessageSquarePlus aria-hidden />
        </IconButton>
      </header>
      <div className={styles.filters}>
        <Choice chips label={t('chat:filter.label')} value={filter} options={filters} onChange={setFilter} />
      </div>
      {list === 'none' && listFailed ? (
        <FailedState error={new AppError('network', 0)} retry={() => void readConversations()} />
      ) : list === 'none' ? (
        <SkeletonRows />
      ) : shown.length === 0 ? (
        <EmptyState
          icon={<MessagesSquare aria-hidden />}
          title={t(filter === 'all' ? 'chat:list.empty' : 'chat:list.empty_filter')}
        />
      ) : (
        // Each row is a link; the menu key and a long press on it reach this.
        <div ref={scroller} className={styles.scroller} {...rows}>
          <Virtualizer data={shown} scrollRef={scroller} as="ul" item="li">
            {(c) => <ConversationRow key={c.id} conversation={c} current={c.id === current} />}
          </Virtualizer>
        </div>
      )}
      {menu ? (
        <Suspense>
          <RowMenu spot={menu} onClose={() => setMenu(undefined)} />
        </Suspense>
      ) : null}
      {edge}
    </nav>
  );
}

/** A right click, the menu key or a long press on a row asks for its menu. */
function useRowMenu(open: (spot: RowSpot) => void) {
  const pressed = useRef(false);
  const ask = (target: EventTarget, point?: { x: number; y: number }) => {
    const row = (target as Element).closest<HTMLElement>('[data-conversation]');
    const id = row?.dataset.conversation;
    if (!row || !id) return false;
    const { left, bottom } = row.getBoundingClientRect();
    open({ id, ...(point ?? { x: left, y: bottom }) });
    return true;
  };
  const press = useLongPress((target) => {
    pressed.current = ask(target);
  });
  return {
    ...press,
    onPointerDown(e: PointerEvent) {
      pressed.current = false;
      press.onPointerDown(e);
    },
    onContextMenu(e: MouseEvent) {
      // The browser's own long press comes after ours, or in its place.
      if (pressed.current) return e.preventDefault();
      // The menu key has no place of its own.
      const byKey = e.clientX === 0 && e.clientY === 0;
      if (ask(e.target, byKey ? undefined : { x: e.clientX, y: e.clientY })) e.preventDefault();
    },
  };
}

const WATCHED = 100;

/** Presence of the people one talks with directly, those at the top. */
function useListPresence(shown: HeldConversation[]): void {
  const ids = shown
    .map((c) => (c.kind === 'direct' ? c.peer : undefined))
    .filter(Boolean)
    .slice(0, WATCHED)
    .join();
  useEffect(() => watchPeople('list', ids ? ids.split(',') : []), [ids]);
}

import { useParams } from '@tanstack/react-router';
import { MessageSquarePlus, MessagesSquare } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer } from 'virtua';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import { watchPeople } from '~/core/watch';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { SkeletonRows } from '~/ui/Skeleton';
import type { HeldConversation } from '../events';
import { readConversations } from '../live';
import { chat } from '../store';
import styles from './ConversationList.module.css';
import { ConversationRow } from './ConversationRow';

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
  const { conversation: current } = useParams({ strict: false });
  const { order, conversations, list, listFailed } = useStore(chat);
  const shown = useMemo(() => {
    const rows = order.map((id) => conversations[id]).filter((c) => c !== undefined);
    // What is open stays in the list, or reading the last unread one would take it from under the hand.
    return rows.filter((c) => passes[filter](c) || (c.id === current && filter === 'unread'));
  }, [order, conversations, filter, current]);
  const scroller = useRef<HTMLDivElement>(null);
  useListPresence(shown);
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
        <div ref={scroller} className={styles.scroller}>
          <Virtualizer data={shown} scrollRef={scroller} as="ul" item="li">
            {(c) => <ConversationRow key={c.id} conversation={c} current={c.id === current} />}
          </Virtualizer>
        </div>
      )}
      {edge}
    </nav>
  );
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

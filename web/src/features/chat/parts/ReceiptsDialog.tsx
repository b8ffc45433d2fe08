import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useStore } from 'zustand';
import { ask, client } from '~/api/client';
import { sharedNames, shortId } from '~/core/names';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { Button } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Dialog } from '~/ui/Dialog';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { SkeletonRows } from '~/ui/Skeleton';
import { chatUi } from '../ui';
import styles from './ReceiptsDialog.module.css';

type State = 'read' | 'unread';

function useReceipts(id: string, seq: number, state: State) {
  return useInfiniteQuery({
    queryKey: ['receipts', id, seq, state],
    staleTime: 0,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => {
      const query = { state, ...(pageParam ? { cursor: pageParam } : {}) };
      return ask(client.GET('/conversations/{id}/messages/{seq}/receipts', { params: { path: { id, seq }, query } }));
    },
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** Who has read a message and who has not, by name. */
export function ReceiptsDialog({ conversation }: { conversation: string }) {
  const t = useT();
  const seq = useStore(chatUi, (s) => s.receipts);
  const close = () => chatUi.setState({ receipts: undefined });
  return (
    <Dialog open={seq !== undefined} title={t('chat:receipts.title')} onClose={close} sheet>
      {seq === undefined ? null : <Lists conversation={conversation} seq={seq} />}
    </Dialog>
  );
}

function Lists({ conversation, seq }: { conversation: string; seq: number }) {
  const t = useT();
  const [state, setState] = useState<State>('unread');
  const query = useReceipts(conversation, seq, state);
  const first = query.data?.pages[0];
  const items = query.data?.pages.flatMap((p) => p.items) ?? [];
  const twins = sharedNames(items);
  const count = (n: number | undefined) => (n === undefined ? '' : ` ${n}`);
  const options: { id: State; label: string }[] = [
    { id: 'unread', label: t('chat:receipts.unread') + count(first?.unread) },
    { id: 'read', label: t('chat:receipts.read') + count(first?.read) },
  ];
  return (
    <>
      <Choice label={t('chat:receipts.title')} value={state} options={options} onChange={setState} />
      {query.isError ? (
        <FailedState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <SkeletonRows rows={3} />
      ) : items.length === 0 ? (
        <EmptyState title={t(state === 'read' ? 'chat:receipts.none_read' : 'chat:receipts.none_unread')} />
      ) : (
        <ul aria-label={t(state === 'read' ? 'chat:receipts.read' : 'chat:receipts.unread')}>
          {items.map((p) => (
            <li key={p.user} className={styles.person}>
              <Avatar id={p.user} name={p.name} size="small" />
              <span>{p.name}</span>
              {twins.has(p.name) ? <span className={styles.detail}>{shortId(p.user)}</span> : null}
            </li>
          ))}
        </ul>
      )}
      {query.hasNextPage ? (
        <Button kind="quiet" isPending={query.isFetchingNextPage} onPress={() => void query.fetchNextPage()}>
          {t('common:more')}
        </Button>
      ) : null}
    </>
  );
}

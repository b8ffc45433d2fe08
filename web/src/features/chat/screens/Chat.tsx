import { Outlet, useParams } from '@tanstack/react-router';
import { MessagesSquare } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { settings } from '~/core/settings';
import { useT } from '~/i18n';
import { EmptyState } from '~/ui/EmptyState';
import { useLayout } from '~/ui/useLayout';
import { ConversationList } from '../parts/ConversationList';
import { chat } from '../store';
import styles from './Chat.module.css';

const ListHandle = lazy(() => import('../parts/ListHandle').then((m) => ({ default: m.ListHandle })));
const NewChat = lazy(() => import('../parts/NewChat').then((m) => ({ default: m.NewChat })));

/** List and conversation side by side; on a phone one of them. */
export function Chat() {
  const phone = useLayout() === 'phone';
  const { conversation } = useParams({ strict: false });
  const width = useStore(settings, (s) => s.listWidth);
  const [making, setMaking] = useState<boolean>();
  const Side = phone ? 'main' : 'div';
  const showList = !phone || !conversation;
  // Who goes back to the list on a phone has left: a conversation then opens at its end, or at what is new.
  useEffect(() => {
    if (phone && showList) chat.setState({ anchors: {} });
  }, [phone, showList]);
  const showMain = !phone || Boolean(conversation);
  return (
    <div className={styles.chat}>
      {showList ? (
        <Side
          className={styles.list}
          id={phone ? 'content' : undefined}
          style={phone ? undefined : { width: `${width / 16}rem` }}
        >
          <ConversationList
            onNew={() => setMaking(true)}
            edge={
              phone ? null : (
                <Suspense>
                  <ListHandle />
                </Suspense>
              )
            }
          />
        </Side>
      ) : null}
      {showMain ? (
        <div className={styles.main}>
          <Outlet />
        </div>
      ) : null}
      {making === undefined ? null : (
        <Suspense>
          <NewChat open={making} onClose={() => setMaking(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** Nothing is open: only ever seen where there is room beside the list. */
export function NothingOpen() {
  const t = useT();
  const phone = useLayout() === 'phone';
  return phone ? null : (
    <main className={styles.nothing} id="content">
      <EmptyState icon={<MessagesSquare aria-hidden />} title={t('chat:nothing_open')} />
    </main>
  );
}

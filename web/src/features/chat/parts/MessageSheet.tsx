import { useStore } from 'zustand';
import type { Message } from '~/api/types';
import { useT } from '~/i18n';
import { Dialog } from '~/ui/Dialog';
import { messageAt } from '../segments';
import { chat } from '../store';
import { chatUi } from '../ui';
import styles from './MessageSheet.module.css';
import { QuickReactions, useReact } from './Reactions';
import { useMessageActions } from './useMessageActions';

/** All that can be done with a message, in a sheet: after a long press, or Enter on a focused message. */
export function MessageSheet({ conversation }: { conversation: string }) {
  const seq = useStore(chatUi, (s) => s.sheet);
  const message = useStore(chat, (s) =>
    seq === undefined ? undefined : messageAt(s.timelines[conversation]?.segments ?? [], seq),
  );
  return message?.body?.kind === 'blocks' ? <Sheet conversation={conversation} message={message} /> : null;
}

function Sheet({ conversation, message }: { conversation: string; message: Message }) {
  const t = useT();
  const actions = useMessageActions(conversation, message);
  const flip = useReact(conversation, message);
  const close = () => chatUi.setState({ sheet: undefined });
  return (
    <Dialog open sheet title={t('chat:action.tools')} onClose={close}>
      <QuickReactions
        onPick={(emoji) => {
          close();
          flip(emoji);
        }}
      />
      <ul>
        {actions.map((a) => (
          <li key={a.id}>
            <button
              type="button"
              className={styles.action}
              data-danger={a.danger || undefined}
              onClick={() => {
                close();
                a.run();
              }}
            >
              {a.icon}
              {a.label}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

import { useStore } from 'zustand';
import type { Message } from '~/api/types';
import { useT } from '~/i18n';
import { messageAt } from '../segments';
import { chat } from '../store';
import { chatUi } from '../ui';
import { ActionSheet } from './ActionSheet';
import { useReact } from './Reactions';
import { ReactPicker } from './ReactPicker';
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
    <ActionSheet title={t('chat:action.tools')} actions={actions} onClose={close}>
      <ReactPicker
        onPick={(emoji) => {
          close();
          flip(emoji);
        }}
      />
    </ActionSheet>
  );
}

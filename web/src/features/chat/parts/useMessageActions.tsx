import { CheckCheck, ClipboardCheck, Copy, Forward, ListChecks, Pencil, Reply, Undo2 } from 'lucide-react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import type { Message } from '~/api/types';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { useErrorText, useT } from '~/i18n';
import { copyText } from '~/ui/copy';
import type { MenuAction } from '~/ui/Menu';
import { toast } from '~/ui/Toast';
import { recall } from '../actions';
import { chat } from '../store';
import { plainText } from '../text';
import { chatUi, startSelecting } from '../ui';
import { editable, recallable, startEdit, startReply } from './reply';

const nameOf = (id: string) => people.getState().users[id]?.name ?? '';

/** What can be done with a message, in the order of use. */
export function useMessageActions(conversation: string, message: Message): MenuAction[] {
  const t = useT();
  const errorText = useErrorText();
  const c = useStore(chat, (s) => s.conversations[conversation]);
  const me = myId();
  if (message.body?.kind !== 'blocks') return [];
  const mine = message.sender.id === me;
  const leads = c?.kind === 'group' && (c.my_role === 'owner' || c.my_role === 'admin');
  const actions: MenuAction[] = [];
  const add = (id: string, label: string, icon: MenuAction['icon'], run: () => void, danger = false) =>
    actions.push({ id, label, icon, run, danger });
  if (c?.can.post)
    add('reply', t('chat:action.reply'), <Reply aria-hidden />, () => startReply(conversation, message.seq));
  add('copy', t('chat:action.copy'), <Copy aria-hidden />, async () => {
    toast((await copyText(plainText(message.body, nameOf))) ? t('common:copied') : t('common:copy_failed'));
  });
  add('forward', t('chat:action.forward'), <Forward aria-hidden />, () =>
    chatUi.setState({ forwarding: { conversation, seqs: [message.seq] } }),
  );
  if (editable(message, me)) {
    add('edit', t('chat:action.edit'), <Pencil aria-hidden />, () => startEdit(conversation, message));
  }
  if (message.ack)
    add('acks', t('chat:ack.title'), <ClipboardCheck aria-hidden />, () => chatUi.setState({ acks: message.seq }));
  if (mine && (c?.kind === 'group' || c?.kind === 'all_staff')) {
    add('receipts', t('chat:action.receipts'), <CheckCheck aria-hidden />, () =>
      chatUi.setState({ receipts: message.seq }),
    );
  }
  add('select', t('chat:action.select'), <ListChecks aria-hidden />, () => startSelecting(conversation, message.seq));
  if (recallable(message, me) || leads) {
    const run = () => void recall(conversation, message).catch((e) => toast(errorText(asAppError(e))));
    add('recall', t('chat:action.recall'), <Undo2 aria-hidden />, run, true);
  }
  return actions;
}

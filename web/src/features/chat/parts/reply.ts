/** How answering and editing begin: the composer takes over. */
import type { Message } from '~/api/types';
import { now } from '~/core/clock';
import { people } from '~/core/store/people';
import { keepDraft } from '../drafts';
import { chat } from '../store';
import { toDraft } from '../text';
import { chatUi, focusComposer } from '../ui';

const WINDOW_MS = 24 * 3_600_000;

const nameOf = (id: string) => people.getState().users[id]?.name ?? '';

export function startReply(conversation: string, seq: number): void {
  const draft = chat.getState().drafts[conversation] ?? { text: '', picks: [] };
  chatUi.setState({ editing: undefined });
  keepDraft(conversation, { ...draft, reply_to: seq });
  focusComposer();
}

export function startEdit(conversation: string, message: Message): void {
  chatUi.setState({ editing: { conversation, seq: message.seq, draft: toDraft(message.body, nameOf) } });
  focusComposer();
}

/** Whether a message may still be changed by the one who wrote it. */
export function editable(message: Message, me: string): boolean {
  return recallable(message, me) && !message.forwarded;
}

export function recallable(message: Message, me: string): boolean {
  return message.sender.id === me && message.body?.kind === 'blocks' && now() - message.sent_at < WINDOW_MS;
}

/** What arrived just now and calls for somebody, in words: for telling of it outside of the page. */
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { i18next } from '~/i18n';
import type { HeldConversation } from './events';
import { chat } from './store';
import { plainText } from './text';

export interface News {
  conversation: string;
  who: string;
  text: string;
}

/** Whether a conversation has something new since `before` that is worth a sound. */
export function isNews(now: HeldConversation, before: HeldConversation | undefined, me: string): boolean {
  if (!before || !now.last || now.last.seq <= (before.last?.seq ?? 0)) return false;
  if (now.unread === 0 || now.last.sender.id === me || now.last.body?.kind !== 'blocks') return false;
  return !now.preferences.muted || (now.mentioned && !before.mentioned);
}

export function watchNews(tell: (news: News) => void): () => void {
  return chat.subscribe((state, before) => {
    // What was missed while the page was away was not new a moment ago.
    if (state.conversations === before.conversations || before.list !== 'server') return;
    const { users } = people.getState();
    const nameOf = (id: string) => users[id]?.name ?? '';
    for (const c of Object.values(state.conversations)) {
      if (c === before.conversations[c.id] || !isNews(c, before.conversations[c.id], myId())) continue;
      const who = nameOf(c.last?.sender.id ?? '') || i18next.t('chat:title.someone');
      tell({
        conversation: c.id,
        who: c.kind !== 'direct' && c.title ? `${who} · ${c.title}` : who,
        text: c.last?.body ? plainText(c.last.body, nameOf) : '',
      });
    }
  });
}

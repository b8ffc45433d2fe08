/** The number on the icon, and what the system shows of conversations that need the person no more. */
import type { HeldConversation } from '~/features/chat/events';
import { needsMe } from '~/features/chat/events';
import { chat } from '~/features/chat/store';

/** As the service worker names them. */
const tagOf = (conversation: string) => `magpie:${conversation}`;

let shown: number | undefined;

function count(conversations: Record<string, HeldConversation>): void {
  const now = Object.values(conversations).filter(needsMe).length;
  if (now === shown) return;
  shown = now;
  const icon = navigator as { setAppBadge?: (count: number) => Promise<void>; clearAppBadge?: () => Promise<void> };
  (now > 0 ? icon.setAppBadge?.(now) : icon.clearAppBadge?.())?.catch(() => undefined);
}

async function close(ids: string[]): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const id of ids) for (const old of (await registration?.getNotifications({ tag: tagOf(id) })) ?? []) old.close();
}

export function startIcon(): void {
  chat.subscribe((state, before) => {
    if (state.conversations === before.conversations) return;
    count(state.conversations);
    const read = Object.values(state.conversations).filter((c) => {
      const was = before.conversations[c.id];
      return was !== undefined && was !== c && needsMe(was) && !needsMe(c);
    });
    if (read.length > 0) close(read.map((c) => c.id)).catch(() => undefined);
  });
}

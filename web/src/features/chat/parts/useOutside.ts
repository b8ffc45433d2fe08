import { useStore } from 'zustand';
import { myId } from '~/core/store/session';
import { directory } from '~/features/directory';
import { useT } from '~/i18n';
import type { HeldConversation } from '../events';
import { memberOf } from '../names';
import { chat } from '../store';

/** Whom from outside one writes to, in words; nothing where all are of one's own organisation. */
export function useOutside(c: HeldConversation, title: string): string | undefined {
  const t = useT();
  const members = useStore(chat, (s) => s.members[c.id]);
  // Whoever is in no organisation has no inside.
  const inside = useStore(directory, (s) => Object.keys(s.orgs).length > 0);
  if (c.external || c.outside) return title;
  if (!inside || !members) return undefined;
  if (memberOf(members, myId())?.external) return title;
  const names = members.filter((m) => m.external).map((m) => m.name);
  if (names.length === 0) return undefined;
  const who = names.slice(0, 2).join(t('chat:title.join'));
  return names.length > 2 ? t('chat:composer.outside_more', { who, count: names.length }) : who;
}

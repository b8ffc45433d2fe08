/** What a conversation and a person are called here. */
import { useStore } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import type { Conversation, ConversationMember } from '~/api/types';
import { people } from '~/core/store/people';
import { myId } from '~/core/store/session';
import { directory } from '~/features/directory';
import { useT } from '~/i18n';
import { chat } from './store';

const indexed = new WeakMap<readonly ConversationMember[], Map<string, ConversationMember>>();

function indexOf(members: readonly ConversationMember[]): Map<string, ConversationMember> {
  let index = indexed.get(members);
  if (!index) {
    index = new Map(members.map((m) => [m.user, m]));
    indexed.set(members, index);
  }
  return index;
}

/** One of these members, found without a walk through all of them for each message. */
export const memberOf = (members: readonly ConversationMember[] | undefined, user: string) =>
  members && indexOf(members).get(user);

/** Whether somebody who wrote here is no member any more; only said where all members are known. */
export function useGone(conversation: string, user: string): 'left' | 'resigned' | undefined {
  const members = useStore(chat, (s) => s.members[conversation]);
  const kind = useStore(chat, (s) => {
    const c = s.conversations[conversation];
    const all = c && members && members.length >= c.member_count;
    return all && (c.kind === 'group' || c.kind === 'all_staff') ? c.kind : undefined;
  });
  if (!kind || !members || user === myId() || indexOf(members).has(user)) return undefined;
  return kind === 'all_staff' ? 'resigned' : 'left';
}

export function useName(id: string | undefined): string {
  return useStore(people, (s) => (id ? (s.users[id]?.name ?? '') : ''));
}

/** Names of a few people, in order; unknown ones are empty. */
export function useNames(ids: readonly string[]): string[] {
  return useStore(
    people,
    useShallow((s) => ids.map((id) => s.users[id]?.name ?? '')),
  );
}

/** An unnamed group is named from its members, per viewer and language. */
export function useTitle(c: Conversation): string {
  const t = useT();
  const me = myId();
  const others = c.members_preview.filter((id) => id !== me).slice(0, 4);
  const names = useNames(c.kind === 'direct' ? [c.peer ?? ''] : others).filter(Boolean);
  // Somebody in several organisations must see which one "everyone" is.
  const org = useStore(directory, (s) =>
    c.kind === 'all_staff' && Object.keys(s.orgs).length > 1 ? s.orgs[c.org_id ?? '']?.name : undefined,
  );
  return titleOf(c, names, org, t);
}

/** `names`: of the other one, or of the first members. `org`: where "everyone" must say of what. */
function titleOf(
  c: Conversation,
  names: readonly string[],
  org: string | undefined,
  t: ReturnType<typeof useT>,
): string {
  if (c.kind === 'self') return t('chat:title.self');
  if (c.kind === 'direct') return names[0] ?? t('chat:title.someone');
  if (c.title) return c.title;
  if (c.kind === 'all_staff') return org ? t('chat:title.all_staff_of', { org }) : t('chat:title.all_staff');
  if (names.length === 0) return t('chat:title.group');
  return names.join(t('chat:title.join'));
}

/** The titles of many at once, for whoever lists or searches them. */
export function useTitles(conversations: readonly Conversation[]): string[] {
  const t = useT();
  const me = myId();
  const users = useStore(people, (s) => s.users);
  const orgs = useStore(directory, (s) => s.orgs);
  const several = Object.keys(orgs).length > 1;
  return conversations.map((c) => {
    const ids = c.kind === 'direct' ? [c.peer ?? ''] : c.members_preview.filter((id) => id !== me).slice(0, 4);
    const names = ids.map((id) => users[id]?.name ?? '').filter(Boolean);
    return titleOf(c, names, several && c.kind === 'all_staff' ? orgs[c.org_id ?? '']?.name : undefined, t);
  });
}

import { FileText } from 'lucide-react';
import { useStore } from 'zustand';
import type { Conversation } from '~/api/types';
import { people } from '~/core/store/people';
import { useT } from '~/i18n';
import { Avatar, GroupAvatar } from '~/ui/Avatar';
import { useNames } from '../names';
import styles from './ConversationAvatar.module.css';

export function ConversationAvatar({
  conversation: c,
  title,
  size,
}: {
  conversation: Conversation;
  title: string;
  size?: 'small' | 'medium' | 'large';
}) {
  const t = useT();
  const ids = c.kind === 'group' ? c.members_preview.slice(0, 4) : [];
  const names = useNames(ids);
  const online = useStore(
    people,
    (s) => c.kind === 'direct' && c.peer !== undefined && s.presence[c.peer ?? ''] === 'online',
  );
  if (c.kind === 'self') {
    return (
      <span className={styles.self} data-size={size ?? 'medium'} aria-hidden>
        <FileText />
      </span>
    );
  }
  if (c.kind === 'direct') {
    return (
      <Avatar
        id={c.peer ?? c.id}
        name={title}
        online={online ? t('common:online') : undefined}
        {...(size ? { size } : {})}
      />
    );
  }
  const members = ids.map((id, i) => ({ id, name: names[i] ?? '' }));
  return (
    <GroupAvatar
      id={c.org_id && c.kind === 'all_staff' ? c.org_id : c.id}
      name={title}
      members={members}
      {...(size ? { size } : {})}
    />
  );
}

import type { ReactNode } from 'react';
import type { Member } from '~/api/types';
import { now } from '~/core/clock';
import { shortId } from '~/core/names';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import { Avatar } from '~/ui/Avatar';
import styles from './MemberRow.module.css';

/** A person in a list: picture, name, and below it what tells equal names apart. */
export function MemberRow({
  member,
  twin,
  me,
  online,
  end,
}: {
  member: Member;
  twin: boolean;
  me: boolean;
  online?: string | undefined;
  end?: ReactNode;
}) {
  const t = useT();
  const locale = useLocale();
  const joined = t('directory:joined', { when: listTime(locale, member.joined_at, now()) });
  const role = member.role === 'member' ? undefined : t(`directory:role.${member.role}`);
  const below = twin ? t('directory:same_name', { joined, id: shortId(member.user) }) : role;
  return (
    <span className={styles.row}>
      <Avatar id={member.user} name={member.name} online={online} />
      <span className={styles.words}>
        <span className={styles.name}>
          {member.name}
          {me ? <span className={styles.me}>{t('directory:me')}</span> : null}
        </span>
        {below ? <span className={styles.below}>{below}</span> : null}
      </span>
      {end}
    </span>
  );
}

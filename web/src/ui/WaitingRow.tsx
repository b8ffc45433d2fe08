import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import type { WaitingItem } from '~/api/types';
import { now } from '~/core/clock';
import { useLocale, useT } from '~/i18n';
import { listTime } from '~/i18n/format';
import styles from './WaitingRow.module.css';

/** One thing that waits, with what can be done about it in its place. Each module draws its own kinds with it. */
export function WaitingRow({
  item,
  icon: Icon,
  words,
  org,
  place,
  children,
}: {
  item: WaitingItem;
  icon: LucideIcon;
  words: ReactNode;
  /** Named where the person is in several. */
  org?: string | undefined;
  /** Where it waits. */
  place?: ReactNode;
  children?: ReactNode;
}) {
  const t = useT();
  const locale = useLocale();
  const late = item.due != null && item.due < now();
  const when =
    item.due != null
      ? t(late ? 'waiting:was_due' : 'waiting:due', { when: listTime(locale, item.due, now()) })
      : t('waiting:since', { when: listTime(locale, item.since, now()) });
  return (
    <li className={styles.row} data-testid="waiting" data-late={late || undefined}>
      <span className={styles.icon}>
        <Icon aria-hidden size={20} />
      </span>
      <span className={styles.words}>
        <span className={styles.title}>{words}</span>
        <span className={styles.below}>
          {place ? <bdi>{place}</bdi> : null}
          {place ? ' · ' : ''}
          {[org, when].filter(Boolean).join(' · ')}
        </span>
      </span>
      {children ? <span className={styles.acts}>{children}</span> : null}
    </li>
  );
}

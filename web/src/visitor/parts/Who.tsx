import { BadgeCheck } from 'lucide-react';
import type { GuestLook } from '~/api/types';
import { useT } from '../i18n';
import styles from '../visitor.module.css';

interface Marked {
  external?: boolean;
  unverified?: boolean;
  lookalike?: boolean;
}

/** Whether the organisation vouches for a name. The same words at the door and in the talk. */
export function Vouched({ of }: { of: Marked }) {
  const t = useT();
  if (of.external) return <span className={styles.amber}>{t('visitor:marks.external')}</span>;
  if (of.lookalike) return <span className={styles.amber}>{t('visitor:marks.lookalike')}</span>;
  if (of.unverified) return <span className={styles.amber}>{t('visitor:marks.unverified')}</span>;
  return (
    <span className={styles.verified}>
      <BadgeCheck aria-hidden size={14} />
      {t('visitor:marks.verified')}
    </span>
  );
}

/** Who answers, for whom, and whether that is vouched for. */
export function Who({ look }: { look: GuestLook }) {
  return (
    <span className={styles.who}>
      <bdi className={styles.name}>{look.host.name}</bdi>
      <Vouched of={look.host} />
    </span>
  );
}

import { lazy, Suspense, useState } from 'react';
import type { Forwarded } from '~/api/types';
import { useT } from '~/i18n';
import styles from './ForwardedCard.module.css';

const ForwardedDialog = lazy(() => import('./ForwardedDialog').then((m) => ({ default: m.ForwardedDialog })));

/** Several messages as one: the first few in sight, all of them behind a press. */
export function ForwardedCard({
  conversation,
  seq,
  forwarded,
}: {
  conversation: string;
  seq: number;
  forwarded: Extract<Forwarded, { kind: 'combined' }>;
}) {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className={styles.card} onClick={() => setOpen(true)}>
        <strong className={styles.title}>{t('chat:forward.record')}</strong>
        {forwarded.items.map((item, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of one preview have no other name and do not move
          <span key={i} className={styles.line}>
            {t('chat:timeline.announce', { who: item.name, text: item.text })}
          </span>
        ))}
        <span className={styles.foot}>{t('chat:forward.record_count', { count: forwarded.count })}</span>
      </button>
      {open ? (
        <Suspense>
          <ForwardedDialog conversation={conversation} seq={seq} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}

import { CircleCheck, CircleDot } from 'lucide-react';
import { type KeyboardEvent, Suspense, useRef } from 'react';
import type { WaitingItem } from '~/api/types';
import { useT } from '~/i18n';
import { EmptyState, FailedState } from '~/ui/EmptyState';
import { InnerPage } from '~/ui/InnerPage';
import { isComposing } from '~/ui/isComposing';
import { SkeletonRows } from '~/ui/Skeleton';
import { WaitingRow } from '~/ui/WaitingRow';
import { KINDS } from '../kinds';
import { laterKey, useWaiting } from '../useWaiting';
import styles from './Waiting.module.css';

/** The most that one answer of the server holds. */
const MOST = 100;

/** All that waits for me, from every module, the oldest promise first, each done in its place. */
export function Waiting() {
  const t = useT();
  const { items, query } = useWaiting();
  return (
    <InnerPage title={t('waiting:title')} middle={items?.length === 0}>
      {query.isError && !items ? (
        <FailedState error={query.error} retry={() => void query.refetch()} />
      ) : !items ? (
        <SkeletonRows rows={5} />
      ) : items.length === 0 ? (
        <EmptyState icon={<CircleCheck aria-hidden />} title={t('waiting:none')}>
          {t('waiting:none_text')}
        </EmptyState>
      ) : (
        <List items={items} />
      )}
      {(query.data?.length ?? 0) >= MOST ? <p className={styles.more}>{t('waiting:more', { count: MOST })}</p> : null}
    </InnerPage>
  );
}

function List({ items }: { items: readonly WaitingItem[] }) {
  const t = useT();
  const list = useRef<HTMLUListElement>(null);
  return (
    <Suspense fallback={<SkeletonRows rows={items.length} />}>
      <ul ref={list} className={styles.list} aria-label={t('waiting:title')} onKeyDown={(e) => step(e, list.current)}>
        {items.map((item) => {
          const Kind = KINDS[item.kind];
          const key = laterKey(item);
          return Kind ? (
            <Kind key={key} item={item} laterKey={key} />
          ) : (
            <WaitingRow key={key} item={item} icon={CircleDot} words={item.title} />
          );
        })}
      </ul>
    </Suspense>
  );
}

/** ↑ and ↓ go to the same button of the row above or below. */
function step(e: KeyboardEvent, list: HTMLUListElement | null): void {
  if (isComposing(e) || (e.key !== 'ArrowDown' && e.key !== 'ArrowUp')) return;
  const row = (e.target as HTMLElement).closest('li');
  if (!list || !row) return;
  const rows = Array.from(list.children);
  const next = rows[rows.indexOf(row) + (e.key === 'ArrowDown' ? 1 : -1)];
  const at = Array.from(row.querySelectorAll('button')).indexOf(e.target as HTMLButtonElement);
  const buttons = next?.querySelectorAll('button');
  const target = buttons?.[Math.min(Math.max(at, 0), buttons.length - 1)];
  if (!target) return;
  e.preventDefault();
  target.focus();
}

import { ChevronDown, ChevronUp, Maximize, Minus, Plus, Search, StretchHorizontal } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import { useLocale, useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import type { Fit } from '~/ui/pdf/layout';
import styles from '~/ui/pdf/pdf.module.css';

/** Which page, how large, and the search. */
export function ReadingBar({
  page,
  count,
  scale,
  fit,
  onPage,
  onZoom,
  onFit,
  onFind,
}: {
  /** From 0. */
  page: number;
  count: number;
  scale: number;
  fit: Fit;
  onPage: (page: number) => void;
  onZoom: (factor: number) => void;
  onFit: (fit: Fit) => void;
  onFind: () => void;
}) {
  const t = useT();
  const percent = new Intl.NumberFormat(useLocale(), { style: 'percent', maximumFractionDigits: 0 }).format(scale);
  return (
    <div className={styles.reading} role="toolbar" aria-label={t('files:read.bar')}>
      <span className={styles.keys}>
        <span className={styles.turn}>
          <IconButton label={t('files:read.before')} isDisabled={page === 0} onPress={() => onPage(page - 1)}>
            <ChevronUp aria-hidden />
          </IconButton>
        </span>
        <PageField page={page} count={count} onPage={onPage} />
        <span className={styles.turn}>
          <IconButton label={t('files:read.after')} isDisabled={page >= count - 1} onPress={() => onPage(page + 1)}>
            <ChevronDown aria-hidden />
          </IconButton>
        </span>
      </span>
      <span className={styles.keys}>
        <IconButton label={t('files:viewer.smaller')} keys="-" onPress={() => onZoom(1 / 1.25)}>
          <Minus aria-hidden />
        </IconButton>
        <span className={styles.percent} data-testid="zoom">
          {percent}
        </span>
        <IconButton label={t('files:viewer.larger')} keys="+" onPress={() => onZoom(1.25)}>
          <Plus aria-hidden />
        </IconButton>
        {fit === 'width' || fit === 'auto' ? (
          <IconButton label={t('files:read.fit_page')} onPress={() => onFit('page')}>
            <Maximize aria-hidden />
          </IconButton>
        ) : (
          <IconButton label={t('files:read.fit_width')} onPress={() => onFit('width')}>
            <StretchHorizontal aria-hidden />
          </IconButton>
        )}
      </span>
      <span className={styles.keys}>
        <IconButton label={t('files:read.find')} onPress={onFind}>
          <Search aria-hidden />
        </IconButton>
      </span>
    </div>
  );
}

function PageField({ page, count, onPage }: { page: number; count: number; onPage: (page: number) => void }) {
  const t = useT();
  const [text, setText] = useState(String(page + 1));
  useEffect(() => setText(String(page + 1)), [page]);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const wanted = Number.parseInt(text, 10);
    const to = Number.isNaN(wanted) ? page : Math.min(count, Math.max(1, wanted)) - 1;
    // Leaving the field as it was must not take the view to the top of its page.
    if (to === page) setText(String(page + 1));
    else onPage(to);
  };
  return (
    <form className={styles.pager} onSubmit={submit}>
      <input
        className={styles.number}
        style={{ width: `${Math.max(2, String(count).length) + 1.5}ch` }}
        inputMode="numeric"
        aria-label={t('files:read.go_to')}
        value={text}
        onChange={(e) => setText(e.target.value.replace(/[^\d]/g, '').slice(0, 6))}
        onFocus={(e) => e.target.select()}
        onBlur={submit}
      />
      <span data-testid="page-count">/ {count}</span>
    </form>
  );
}

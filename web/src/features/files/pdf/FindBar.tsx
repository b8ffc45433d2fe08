import { ChevronDown, ChevronUp, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { isComposing } from '~/ui/isComposing';
import styles from '~/ui/pdf/pdf.module.css';
import type { FindHandle } from './useFind';

/** Looks for words in the file. Enter goes on, with Shift back. */
export function FindBar({ find, onClose }: { find: FindHandle; onClose: () => void }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for again, it takes the focus again
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [find.asked]);
  const onKeyDown = (e: KeyboardEvent) => {
    if (isComposing(e) || e.key !== 'Enter') return;
    e.preventDefault();
    find.go(e.shiftKey ? -1 : 1);
  };
  const { found, reading, none } = find;
  const outcome = reading
    ? ''
    : none
      ? t('files:read.none')
      : found
        ? t('files:read.match', { page: found.page + 1, at: found.index + 1, of: found.matches.length })
        : '';
  return (
    <search className={styles.find}>
      <input
        ref={input}
        className={styles.words}
        type="text"
        enterKeyHint="search"
        aria-label={t('files:read.find')}
        placeholder={t('files:read.find')}
        value={find.words}
        onChange={(e) => find.setWords(e.target.value)}
        onKeyDown={onKeyDown}
      />
      <span className={styles.matches}>
        {/* Seen only: read out, hundreds of pages would be. */}
        {reading ? <span>{t('files:read.searching', { page: reading.page + 1, of: reading.of })}</span> : null}
        <span role="status">{outcome}</span>
      </span>
      <span className={styles.keys}>
        <IconButton label={t('files:read.find_before')} onPress={() => find.go(-1)}>
          <ChevronUp aria-hidden />
        </IconButton>
        <IconButton label={t('files:read.find_after')} onPress={() => find.go(1)}>
          <ChevronDown aria-hidden />
        </IconButton>
        <IconButton label={t('files:read.find_close')} onPress={onClose}>
          <X aria-hidden />
        </IconButton>
      </span>
    </search>
  );
}

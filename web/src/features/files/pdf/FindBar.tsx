import { ChevronDown, ChevronUp, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { isComposing } from '~/ui/isComposing';
import styles from './pdf.module.css';
import type { FindHandle } from './useFind';

/** Looks for words in the file. Enter goes on, with Shift back. */
export function FindBar({ find }: { find: FindHandle }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const onKeyDown = (e: KeyboardEvent) => {
    if (isComposing(e) || e.key !== 'Enter') return;
    e.preventDefault();
    find.go(e.shiftKey ? -1 : 1);
  };
  const { found, reading, none } = find;
  const words = reading
    ? t('files:read.searching', { page: reading.page + 1, of: reading.of })
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
      <span className={styles.matches} role="status">
        {words}
      </span>
      <span className={styles.keys}>
        <IconButton label={t('files:read.find_before')} onPress={() => find.go(-1)}>
          <ChevronUp aria-hidden />
        </IconButton>
        <IconButton label={t('files:read.find_after')} onPress={() => find.go(1)}>
          <ChevronDown aria-hidden />
        </IconButton>
        <IconButton label={t('files:read.find_close')} onPress={find.close}>
          <X aria-hidden />
        </IconButton>
      </span>
    </search>
  );
}

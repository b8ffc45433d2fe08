import { Copy, Forward, X } from 'lucide-react';
import { type MouseEvent, useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { people } from '~/core/store/people';
import { useLocale, useT } from '~/i18n';
import { clockTime } from '~/i18n/format';
import { Button, IconButton } from '~/ui/Button';
import { copyText } from '~/ui/copy';
import { toast } from '~/ui/Toast';
import { messageAt, type Segment } from '../segments';
import { chat } from '../store';
import { transcript } from '../text';
import { addSelected, chatUi, flipSelected, MAX_SELECTED, stopSelecting } from '../ui';
import styles from './Selecting.module.css';

/** The tick of a message; it covers the whole row, so that a link in it is not followed by mistake. */
export function SelectBox({ seq }: { seq: number }) {
  const t = useT();
  const chosen = useStore(chatUi, (s) => s.selecting?.seqs.includes(seq) ?? false);
  const onClick = (e: MouseEvent) => {
    const { selecting } = chatUi.getState();
    const last = selecting?.seqs[selecting.seqs.length - 1];
    if (!e.shiftKey || !selecting || last === undefined) return;
    addSelected(between(chat.getState().timelines[selecting.conversation]?.segments ?? [], last, seq));
  };
  return (
    <label className={styles.cover} data-chosen={chosen || undefined}>
      <input
        type="checkbox"
        className={styles.box}
        checked={chosen}
        aria-label={t('chat:select.one')}
        onClick={onClick}
        onChange={() => flipSelected(seq)}
      />
    </label>
  );
}

/** The messages that can be chosen between two, without either. */
export function between(segments: readonly Segment[], a: number, b: number): number[] {
  const [from, to] = a < b ? [a, b] : [b, a];
  return segments.flatMap((s) =>
    s.messages.filter((m) => m.seq > from && m.seq < to && m.body?.kind === 'blocks').map((m) => m.seq),
  );
}

/** In place of the composer while messages are being chosen: what can be done with all of them. */
export function SelectBar({ conversation }: { conversation: string }) {
  const t = useT();
  const locale = useLocale();
  const seqs = useStore(chatUi, (s) => s.selecting?.seqs ?? []);
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The menu that began this is gone, and the focus with it.
    bar.current?.focus();
    const onKey = (e: globalThis.KeyboardEvent) => {
      if (e.key === 'Escape' && !e.isComposing && e.keyCode !== 229) stopSelecting();
    };
    window.addEventListener('keydown', onKey);
    return () => {
      window.removeEventListener('keydown', onKey);
      stopSelecting();
    };
  }, []);
  const copy = async () => {
    const { segments = [] } = chat.getState().timelines[conversation] ?? {};
    const { users } = people.getState();
    const chosen = [...seqs].sort((a, b) => a - b).flatMap((seq) => messageAt(segments, seq) ?? []);
    const text = transcript(
      chosen,
      (id) => users[id]?.name ?? '',
      (ms) => clockTime(locale, ms),
    );
    toast((await copyText(text)) ? t('common:copied') : t('common:copy_failed'));
    stopSelecting();
  };
  const full = seqs.length >= MAX_SELECTED;
  return (
    <div ref={bar} tabIndex={-1} className={styles.bar} role="toolbar" aria-label={t('chat:select.label')}>
      <IconButton label={t('common:cancel')} onPress={stopSelecting}>
        <X aria-hidden />
      </IconButton>
      <p className={styles.count} role="status">
        {full ? t('chat:select.full', { count: MAX_SELECTED }) : t('chat:select.count', { count: seqs.length })}
      </p>
      <Button
        isDisabled={seqs.length === 0}
        onPress={() => chatUi.setState({ forwarding: { conversation, seqs: [...seqs].sort((a, b) => a - b) } })}
      >
        <Forward aria-hidden size={16} />
        {t('chat:action.forward')}
      </Button>
      <Button isDisabled={seqs.length === 0} onPress={() => void copy()}>
        <Copy aria-hidden size={16} />
        {t('common:copy')}
      </Button>
    </div>
  );
}

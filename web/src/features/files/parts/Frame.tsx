import { Download, X } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import { asAppError } from '~/api/client';
import type { FileBlock } from '~/api/types';
import { useErrorText, useLocale, useT } from '~/i18n';
import { Button, IconButton } from '~/ui/Button';
import { EmptyState } from '~/ui/EmptyState';
import { Progress } from '~/ui/Progress';
import { toast } from '~/ui/Toast';
import { saveFile } from '../api';
import { bytesText } from '../bytes';
import { FileIcon } from './FileIcon';
import { FileName } from './FileName';
import styles from './Frame.module.css';

/** Saves a file; what goes wrong is told. */
export function useSave({ file, name }: FileBlock): () => void {
  const t = useT();
  const errorText = useErrorText();
  return () => {
    saveFile(file, name ?? '').catch((error) => {
      const e = asAppError(error);
      toast(e.code === 'not_found' ? t('files:gone') : errorText(e));
    });
  };
}

/** What is around every file that is read: its name and size, saving it, closing it. */
export function Frame({
  file,
  onClose,
  onKeyDown,
  children,
  foot,
}: {
  file: FileBlock;
  onClose: () => void;
  onKeyDown?: (e: KeyboardEvent) => void;
  children: ReactNode;
  /** Keys for reading, where a thumb reaches them. */
  foot?: ReactNode;
}) {
  const t = useT();
  const locale = useLocale();
  const save = useSave(file);
  const name = file.name ?? '';
  const keys = (e: KeyboardEvent) => {
    onKeyDown?.(e);
    // What the app does by such keys would happen behind the file; the browser's own search is not the app's here.
    if (e.ctrlKey || e.metaKey || e.altKey) e.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the dialog, wherever its focus is
    <div className={styles.frame} onKeyDown={keys} data-testid="reader">
      <header className={styles.bar}>
        <span className={styles.icon}>
          <FileIcon mime={file.mime ?? ''} name={name} />
        </span>
        <span className={styles.words}>
          <FileName name={name} />
          <span className={styles.size}>{bytesText(locale, file.size ?? 0)}</span>
        </span>
        <IconButton label={t('files:download')} onPress={save}>
          <Download aria-hidden />
        </IconButton>
        <IconButton autoFocus label={t('common:close')} onPress={onClose}>
          <X aria-hidden />
        </IconButton>
      </header>
      <div className={styles.body}>{children}</div>
      {foot ? <footer className={styles.foot}>{foot}</footer> : null}
    </div>
  );
}

const WORDS = {
  damaged: { title: 'files:read.damaged', text: 'files:read.damaged_text' },
  gone: { title: 'files:gone', text: 'files:read.gone_text' },
  lost: { title: 'files:read.lost', text: 'files:read.lost_text' },
  failed: { title: 'files:read.failed', text: 'files:read.failed_text' },
  binary: { title: 'files:read.binary', text: 'files:read.binary_text' },
} as const;

export type Unreadable = keyof typeof WORDS;

/** It cannot be shown: why, and what can be done all the same. */
export function Unread({ why, file, onRetry }: { why: Unreadable; file: FileBlock; onRetry?: () => void }) {
  const t = useT();
  const save = useSave(file);
  const words = WORDS[why];
  return (
    <div className={styles.middle} role="alert">
      <EmptyState
        title={t(words.title)}
        action={
          <span className={styles.acts}>
            {onRetry && why === 'failed' ? <Button onPress={onRetry}>{t('common:retry')}</Button> : null}
            {why === 'gone' || why === 'lost' ? null : (
              <Button kind="primary" onPress={save}>
                {t('files:download')}
              </Button>
            )}
          </span>
        }
      >
        {t(words.text)}
      </EmptyState>
    </div>
  );
}

/** The network is away; what is shown stays. */
export function Away({ onRetry }: { onRetry: () => void }) {
  const t = useT();
  return (
    <p className={styles.away} role="status">
      <span>{t('files:read.away')}</span>
      <Button onPress={onRetry}>{t('common:retry')}</Button>
    </p>
  );
}

/** It is on its way, and how much of it came. */
export function Opening({ bytes }: { bytes?: number }) {
  const t = useT();
  const locale = useLocale();
  return (
    <div className={styles.middle}>
      <span className={styles.opening}>
        <Progress
          label={bytes ? t('files:read.opening_bytes', { size: bytesText(locale, bytes) }) : t('files:read.opening')}
        />
      </span>
    </div>
  );
}

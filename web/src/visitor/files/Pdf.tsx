import { type FormEvent, type ReactNode, useState } from 'react';
import type { FileBlock } from '~/api/types';
import { bytesText } from '~/core/files/bytes';
import type { Asking, PDFDocumentProxy } from '~/ui/pdf/engine';
import { Pages } from '~/ui/pdf/Pages';
import { useDocument } from '~/ui/pdf/useDocument';
import { usePages } from '~/ui/pdf/usePages';
import { useLanguage, useT } from '../i18n';
import styles from './files.module.css';

/** The pages of a PDF file, drawn by us: nothing of it runs, and a web view needs to save nothing. */
export default function Pdf({ file, children }: { file: FileBlock; children: ReactNode }) {
  const t = useT();
  const language = useLanguage();
  const [tries, setTries] = useState(0);
  const { state, away, bytes, nudge } = useDocument(file, tries);
  if (state.kind === 'fault') {
    return (
      <>
        {children}
        <p className={styles.said} role="alert">
          {t(FAULT[state.fault])}
          {state.fault === 'failed' ? (
            <button type="button" className={styles.plain} onClick={() => setTries(tries + 1)}>
              {t('visitor:state.retry')}
            </button>
          ) : null}
        </p>
      </>
    );
  }
  return (
    <>
      {away ? (
        <p className={styles.said} role="status">
          {t('files:read.away')}
          <button type="button" className={styles.plain} onClick={nudge}>
            {t('visitor:state.retry')}
          </button>
        </p>
      ) : null}
      {state.kind === 'asking' ? <Password key={Number(state.asking.wrong)} asking={state.asking} /> : null}
      {state.kind === 'opening' ? (
        <>
          {children}
          <p className={styles.said} role="status">
            {bytes > 0 ? t('files:read.opening_bytes', { size: bytesText(language, bytes) }) : t('files:read.opening')}
          </p>
        </>
      ) : null}
      {state.kind === 'open' ? <Open document={state.document} /> : null}
    </>
  );
}

const FAULT = {
  damaged: 'files:read.damaged',
  gone: 'files:read.gone_text',
  lost: 'files:read.lost',
  failed: 'files:read.failed',
} as const;

function Open({ document }: { document: PDFDocumentProxy }) {
  const t = useT();
  const pages = usePages(document);
  const words = {
    pages: t('files:read.pages'),
    page: (page: number) => t('files:read.page', { page }),
    failed: (page: number) => t('files:read.page_failed', { page }),
    inside: t('files:read.inside'),
  };
  return <Pages document={document} pages={pages} words={words} />;
}

/** The file is locked: its password is used here and kept nowhere. */
function Password({ asking }: { asking: Asking }) {
  const t = useT();
  const [password, setPassword] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (password !== '') asking.answer(password);
  };
  return (
    <form className={styles.middle} onSubmit={submit}>
      <label htmlFor="password">{t('files:read.password')}</label>
      <span className={styles.address}>
        <input
          id="password"
          type="password"
          value={password}
          autoComplete="off"
          aria-describedby="password-hint"
          aria-invalid={asking.wrong || undefined}
          onChange={(e) => setPassword(e.target.value)}
        />
        <button type="submit" className={styles.plain} aria-disabled={password === ''}>
          {t('files:read.open')}
        </button>
      </span>
      <span id="password-hint" className={styles.size} role={asking.wrong ? 'alert' : undefined}>
        {t(asking.wrong ? 'files:read.password_wrong' : 'files:read.password_hint')}
      </span>
    </form>
  );
}

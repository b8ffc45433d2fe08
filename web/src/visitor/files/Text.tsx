import { type ReactNode, useEffect, useState } from 'react';
import type { FileBlock } from '~/api/types';
import { bytesText } from '~/core/files/bytes';
import { charsetOf, decode } from '~/core/files/decode';
import { faultOf, Remote } from '~/core/files/remote';
import { useLanguage, useT } from '../i18n';
import styles from './files.module.css';

/** As much as one reads on a page like this, in bytes; the rest is read better in a program for it. */
const MOST = 524_288;

type State = { words?: string; fault?: ReturnType<typeof faultOf> | 'binary' };

/** The characters of a text file and nothing else, however much they look like markup. */
export default function Text({ file, children }: { file: FileBlock; children: ReactNode }) {
  const t = useT();
  const language = useLanguage();
  const [tries, setTries] = useState(0);
  const [{ words, fault }, setState] = useState<State>({});
  const size = file.size ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try reads it anew
  useEffect(() => {
    let left = false;
    setState({});
    const remote = new Remote(file.file, size);
    remote.read(0, MOST).then(
      (buffer) => {
        const bytes = new Uint8Array(buffer);
        const charset = charsetOf(bytes);
        if (left) return;
        setState(charset ? { words: decode([bytes], charset, size <= MOST) } : { fault: 'binary' });
      },
      (error) => (left ? undefined : setState({ fault: faultOf(error) })),
    );
    return () => {
      left = true;
      remote.close();
    };
  }, [file, size, tries]);
  if (words !== undefined) {
    return (
      <>
        <section
          className={styles.text}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
          tabIndex={0}
          aria-label={t('files:read.text')}
        >
          <pre dir="auto">{words}</pre>
        </section>
        {size > MOST ? (
          <p className={styles.said}>
            {t('files:read.most', { size: bytesText(language, MOST), of: bytesText(language, size) })}
          </p>
        ) : null}
      </>
    );
  }
  return (
    <>
      {children}
      <p className={styles.said} role={fault ? 'alert' : 'status'}>
        {t(fault ? FAULT[fault] : 'files:read.opening')}
        {fault === 'failed' ? (
          <button type="button" className={styles.plain} onClick={() => setTries(tries + 1)}>
            {t('visitor:state.retry')}
          </button>
        ) : null}
      </p>
    </>
  );
}

const FAULT = {
  gone: 'files:read.gone_text',
  lost: 'files:read.lost',
  failed: 'files:read.failed',
  binary: 'files:read.binary',
} as const;

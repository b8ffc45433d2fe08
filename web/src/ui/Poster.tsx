import { useEffect, useState } from 'react';
import { useT } from '~/i18n';
import { FormError } from './FormError';
import { missingGlyphs } from './glyphs';
import styles from './Poster.module.css';
import { Print } from './Print';
import { QrCode } from './QrCode';

export interface PosterProps {
  /** Whose it is, in large type. */
  title: string;
  lead: string;
  url: string;
  /** What is typed where nothing can be scanned. */
  code?: string | undefined;
  until?: string | undefined;
  /** The words of the code for those who do not see it. */
  qr: string;
}

/** One sheet of A4 to hang up: what comes out of the printer while this is there. */
export function Poster(props: PosterProps) {
  return (
    <Print>
      <Sheet {...props} />
    </Print>
  );
}

/** The sheet as it will come out, and what to mend before. */
export function PosterPreview(props: PosterProps) {
  const t = useT();
  const [missing, setMissing] = useState<string[]>([]);
  const { title } = props;
  useEffect(() => setMissing(missingGlyphs(title, getComputedStyle(document.body).fontFamily)), [title]);
  return (
    <div>
      <FormError>{missing.length > 0 ? t('ui:poster.missing', { chars: missing.join('') }) : undefined}</FormError>
      <div className={styles.preview}>
        <Sheet {...props} />
      </div>
    </div>
  );
}

/** Long names take smaller type, so that every name has its two or three lines. */
const size = (title: string) =>
  Array.from(title).length > 24 ? styles.long : Array.from(title).length > 12 ? styles.middle : styles.short;

function Sheet({ title, lead, url, code, until, qr }: PosterProps) {
  return (
    <article className={styles.sheet}>
      <p className={`${styles.title} ${size(title) ?? ''}`}>{title}</p>
      <p className={styles.lead}>{lead}</p>
      <div className={styles.code}>
        <QrCode text={url} label={qr} />
      </div>
      {code ? <p className={styles.typed}>{code}</p> : null}
      <p className={styles.url}>{url}</p>
      {until ? <p className={styles.until}>{until}</p> : null}
    </article>
  );
}

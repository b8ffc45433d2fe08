import { Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { type AppError, asAppError } from '~/api/client';
import { readLink } from '~/core/files/api';
import { copyText } from '~/ui/copy';
import { useErrorText, useT } from '../i18n';
import styles from './files.module.css';

/** Web views of which it is known that they save nothing, or only at times. */
const VIEWS = /MicroMessenger|QQ\/|DingTalk|Lark|Feishu|AlipayClient|Weibo|FBA[NV]|Instagram|\bLine\//i;

const mayNotSave = (): boolean => !('download' in HTMLAnchorElement.prototype) || VIEWS.test(navigator.userAgent);

/** So long before its end an address is not handed out any more. */
const MARGIN_MS = 30_000;

type Link = { url: string } | { error: AppError } | undefined;

/** An address of the original that needs no token, made anew before it ends. */
function useLink(file: string): [Link, () => void] {
  const [link, setLink] = useState<Link>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try asks anew
  useEffect(() => {
    let left = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    readLink(file, true).then(
      ({ url, expires_at }) => {
        if (left) return;
        setLink({ url });
        timer = setTimeout(() => setTries((n) => n + 1), Math.max(MARGIN_MS, expires_at - Date.now() - MARGIN_MS));
      },
      (error) => (left ? undefined : setLink({ error: asAppError(error) })),
    );
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [file, tries]);
  const again = () => {
    setLink(undefined);
    setTries((n) => n + 1);
  };
  return [link, again];
}

/**
 * Saves a file, as a link that the browser follows. No page is told whether one was: where it may not have been, there is
 * the address to take to a browser.
 */
export function Saving({
  file: { file, name = '' },
  shown = false,
}: {
  file: { file: string; name?: string | undefined };
  /** It is read in place, and needs the room. */
  shown?: boolean;
}) {
  const t = useT();
  const text = useErrorText();
  const [link, again] = useLink(file);
  const [pressed, setPressed] = useState(() => !shown && mayNotSave());
  if (link && 'error' in link) {
    const gone = link.error.status === 404;
    return (
      <p className={styles.saving} role="alert">
        {gone ? t('files:gone') : text(link.error)}
        {gone ? null : (
          <button type="button" className={styles.plain} onClick={again}>
            {t('visitor:state.retry')}
          </button>
        )}
      </p>
    );
  }
  return (
    <div className={styles.saving}>
      {link ? (
        <a className={styles.save} href={link.url} download={name} onClick={() => setPressed(true)}>
          <Download aria-hidden size={18} />
          {t('files:download')}
        </a>
      ) : (
        <span className={styles.save} aria-disabled="true" role="status">
          {t('files:guest.asking')}
        </span>
      )}
      {pressed && link ? <TakeAlong url={new URL(link.url, location.href).href} /> : null}
    </div>
  );
}

function TakeAlong({ url }: { url: string }) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState<'copied' | 'by_hand'>();
  const copy = async () => {
    const done = await copyText(url).catch(() => false);
    setSaid(done ? 'copied' : 'by_hand');
    if (!done) input.current?.select();
  };
  return (
    <div className={styles.along}>
      <p id="along">{t('files:guest.elsewhere')}</p>
      <span className={styles.address}>
        <input
          ref={input}
          readOnly
          value={url}
          aria-labelledby="along"
          data-testid="file-address"
          onFocus={(e) => e.target.select()}
        />
        <button type="button" className={styles.plain} onClick={() => void copy()}>
          {t('files:guest.copy')}
        </button>
      </span>
      <p role="status">{said ? t(said === 'copied' ? 'visitor:keep.copied' : 'visitor:keep.by_hand') : ''}</p>
    </div>
  );
}

import { ChevronLeft, ChevronRight, Download, ImageOff, X, ZoomIn, ZoomOut } from 'lucide-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import type { ImageBlock } from '~/api/types';
import { readLink } from '~/core/files/api';
import { cx } from '~/ui/cx';
import { FileName } from '~/ui/files/FileName';
import over from '~/ui/files/Over.module.css';
import { useZoom } from '~/ui/files/useZoom';
import styles from '~/ui/files/Viewer.module.css';
import { useT } from '../i18n';
import { previewOf } from './attach';
import own from './files.module.css';
import { Key } from './Key';
import { Over } from './Over';
import { Saving } from './Saving';
import { usePicture } from './usePicture';

/** Pictures one at a time over everything else; a pull downwards closes too. */
export function Viewer({
  pictures,
  first,
  onClose,
}: {
  pictures: readonly ImageBlock[];
  /** The file it opens with. */
  first: string;
  onClose: () => void;
}) {
  const t = useT();
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      pictures.findIndex((p) => p.file === first),
    ),
  );
  const go = (by: number) => setAt((was) => Math.min(pictures.length - 1, Math.max(0, was + by)));
  const keys = useRef<(e: KeyboardEvent) => void>(undefined);
  const picture = pictures[at];
  if (!picture) return null;
  return (
    <Over label={t('files:viewer.label')} dark onClose={onClose} onKeyDown={(e) => keys.current?.(e)}>
      {(close) => <Stage picture={picture} at={at} of={pictures.length} go={go} close={close} keys={keys} />}
    </Over>
  );
}

function Stage({
  picture,
  at,
  of,
  go,
  close,
  keys,
}: {
  picture: ImageBlock;
  at: number;
  of: number;
  go: (by: number) => void;
  close: () => void;
  /** What a key does, for whatever has the focus. */
  keys: RefObject<((e: KeyboardEvent) => void) | undefined>;
}) {
  const t = useT();
  const [saving, setSaving] = useState(false);
  const zoom = useZoom({ key: picture.file, onSwipe: go, onPull: close });
  useEffect(() => {
    keys.current = (e) => {
      if (e.key === 'ArrowLeft') go(-1);
      else if (e.key === 'ArrowRight') go(1);
      else if (e.key === '+' || e.key === '=') zoom.by(1.5);
      else if (e.key === '-') zoom.by(1 / 1.5);
      else if (e.key === '0') zoom.reset();
      else return;
      e.preventDefault();
    };
  });
  return (
    <div className={cx(over.frame, styles.frame)} data-testid="viewer">
      <header className={over.bar}>
        <span className={styles.name}>
          <FileName name={picture.name ?? ''} />
        </span>
        <span className={styles.count} aria-live="polite">
          {t('files:viewer.count', { at: at + 1, of })}
        </span>
        <span className={styles.keys}>
          <span className={styles.zoom}>
            <Key label={t('files:viewer.smaller')} onPress={() => zoom.by(1 / 1.5)}>
              <ZoomOut aria-hidden />
            </Key>
            <Key label={t('files:viewer.larger')} onPress={() => zoom.by(1.5)}>
              <ZoomIn aria-hidden />
            </Key>
          </span>
          <Key label={t('files:download')} onPress={() => setSaving(!saving)}>
            <Download aria-hidden />
          </Key>
          <Key first label={t('files:guest.close')} onPress={close}>
            <X aria-hidden />
          </Key>
        </span>
      </header>
      <div className={styles.stage} {...zoom.handlers} ref={zoom.stage} data-testid="viewer-stage">
        <Large key={picture.file} picture={picture} style={zoom.style} />
      </div>
      {of > 1 ? (
        <>
          <span className={cx(styles.before, own.turn)}>
            <Key label={t('files:viewer.before')} disabled={at === 0} onPress={() => go(-1)}>
              <ChevronLeft aria-hidden />
            </Key>
          </span>
          <span className={cx(styles.after, own.turn)}>
            <Key label={t('files:viewer.after')} disabled={at === of - 1} onPress={() => go(1)}>
              <ChevronRight aria-hidden />
            </Key>
          </span>
        </>
      ) : null}
      {saving ? (
        <div className={own.foot}>
          <Saving key={picture.file} file={picture} />
        </div>
      ) : null}
    </div>
  );
}

/** The small picture stands until the large one is there; what moves is the original. */
function Large({ picture: p, style }: { picture: ImageBlock; style: { transform: string; transition: string } }) {
  const t = useT();
  const chosen = previewOf(p.file);
  const small = usePicture(p.file, 320, !chosen);
  const large = usePicture(p.file, 1600, true);
  const [moving, setMoving] = useState<string>();
  useEffect(() => {
    if (!p.animated) return;
    let left = false;
    readLink(p.file)
      .then((link) => (link.inline && !left ? setMoving(link.url) : undefined))
      // Then it stands still.
      .catch(() => undefined);
    return () => {
      left = true;
    };
  }, [p]);
  const under = chosen ?? small.url;
  if (large.fault && !under) {
    return (
      <p className={styles.gone} role="status">
        <ImageOff aria-hidden />
        {large.fault === 'gone' ? (
          t('files:picture.gone')
        ) : (
          <button type="button" className={own.plain} onClick={large.again}>
            {t('visitor:state.retry')}
          </button>
        )}
      </p>
    );
  }
  const size = { width: p.width ?? 1, height: p.height ?? 1 };
  const top = moving ?? large.url;
  return (
    <span className={styles.sheet} style={style}>
      {under && !top ? <img {...size} className={styles.under} src={under} alt="" draggable={false} /> : null}
      {top ? (
        <img
          {...size}
          className={styles.large}
          src={top}
          alt={p.name ?? ''}
          draggable={false}
          onError={() => setMoving(undefined)}
        />
      ) : null}
    </span>
  );
}

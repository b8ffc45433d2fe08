import { ChevronLeft, ChevronRight, Download, ImageOff, X, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { asAppError } from '~/api/client';
import type { ImageBlock } from '~/api/types';
import { useErrorText, useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { toast } from '~/ui/Toast';
import { PICTURE_WORDS, pictureFault, pictureUrl, readLink, saveFile } from '../api';
import { useBack } from '../useBack';
import { FileName } from './FileName';
import { useZoom } from './useZoom';
import styles from './Viewer.module.css';

/** Pictures one at a time over everything else. Closed by Escape, the back key, or a pull downwards. */
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
  const errorText = useErrorText();
  const close = useBack(onClose);
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      pictures.findIndex((p) => p.file === first),
    ),
  );
  const picture = pictures[at];
  const go = (by: number) => setAt((was) => Math.min(pictures.length - 1, Math.max(0, was + by)));
  const zoom = useZoom({ key: picture?.file ?? '', onSwipe: go, onPull: close });
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'ArrowLeft') go(-1);
    else if (e.key === 'ArrowRight') go(1);
    else if (e.key === '+' || e.key === '=') zoom.by(1.5);
    else if (e.key === '-') zoom.by(1 / 1.5);
    else if (e.key === '0') zoom.reset();
    else return;
    e.preventDefault();
  };
  const save = () => {
    if (!picture) return;
    saveFile(picture.file, picture.name ?? '').catch((error) => {
      const e = asAppError(error);
      toast(e.code === 'not_found' ? t('files:gone') : errorText(e));
    });
  };
  if (!picture) return null;
  return (
    <ModalOverlay className={styles.overlay ?? ''} isOpen onOpenChange={(open) => (open ? undefined : close())}>
      <Modal className={styles.modal ?? ''}>
        <Dialog className={styles.dialog ?? ''} aria-label={t('files:viewer.label')}>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the dialog, wherever its focus is */}
          <div className={styles.frame} onKeyDown={onKeyDown} data-testid="viewer">
            <header className={styles.bar}>
              <span className={styles.name}>
                <FileName name={picture.name ?? ''} />
              </span>
              <span className={styles.count} aria-live="polite">
                {t('files:viewer.count', { at: at + 1, of: pictures.length })}
              </span>
              <span className={styles.keys}>
                <span className={styles.zoom}>
                  <IconButton label={t('files:viewer.smaller')} onPress={() => zoom.by(1 / 1.5)}>
                    <ZoomOut aria-hidden />
                  </IconButton>
                  <IconButton label={t('files:viewer.larger')} onPress={() => zoom.by(1.5)}>
                    <ZoomIn aria-hidden />
                  </IconButton>
                </span>
                <IconButton label={t('files:download')} onPress={save}>
                  <Download aria-hidden />
                </IconButton>
                <IconButton autoFocus label={t('common:close')} onPress={close}>
                  <X aria-hidden />
                </IconButton>
              </span>
            </header>
            <div className={styles.stage} {...zoom.handlers} ref={zoom.stage} data-testid="viewer-stage">
              <Large key={picture.file} picture={picture} style={zoom.style} />
            </div>
            {pictures.length > 1 ? (
              <>
                <span className={styles.before}>
                  <IconButton label={t('files:viewer.before')} isDisabled={at === 0} onPress={() => go(-1)}>
                    <ChevronLeft aria-hidden />
                  </IconButton>
                </span>
                <span className={styles.after}>
                  <IconButton
                    label={t('files:viewer.after')}
                    isDisabled={at === pictures.length - 1}
                    onPress={() => go(1)}
                  >
                    <ChevronRight aria-hidden />
                  </IconButton>
                </span>
              </>
            ) : null}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** The small picture stands until the large one is there; what moves is the original. */
function Large({ picture: p, style }: { picture: ImageBlock; style: { transform: string; transition: string } }) {
  const t = useT();
  const [there, setThere] = useState(false);
  const [gone, setGone] = useState<'gone' | 'lost'>();
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
  if (gone) {
    return (
      <p className={styles.gone} role="status">
        <ImageOff aria-hidden />
        {t(PICTURE_WORDS[gone])}
      </p>
    );
  }
  const look = async () => setGone((await pictureFault(p.file)) === 'lost' ? 'lost' : 'gone');
  const size = { width: p.width ?? 1, height: p.height ?? 1 };
  return (
    <span className={styles.sheet} style={style}>
      {there ? null : <img {...size} className={styles.under} src={pictureUrl(p.file, 320)} alt="" draggable={false} />}
      <img
        {...size}
        className={styles.large}
        src={moving ?? pictureUrl(p.file, 1600)}
        alt={p.name ?? ''}
        draggable={false}
        onLoad={() => setThere(true)}
        onError={() => (moving ? setMoving(undefined) : void look())}
      />
    </span>
  );
}

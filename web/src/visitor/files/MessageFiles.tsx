import { ImageOff, Image as ImageSign } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { FileBlock, ImageBlock } from '~/api/types';
import { bytesText } from '~/core/files/bytes';
import type { Attached } from '~/core/files/tray';
import { cx } from '~/ui/cx';
import { FileIcon } from '~/ui/files/FileIcon';
import { FileName } from '~/ui/files/FileName';
import pictureStyles from '~/ui/files/Picture.module.css';
import { pictureRoom, roomOf } from '~/ui/files/room';
import { useLanguage, useT } from '../i18n';
import { previewOf } from './attach';
import styles from './files.module.css';
import { kindOf } from './kind';
import { opened, openPicture } from './opened';
import { usePicture } from './usePicture';

/** Pictures and files of a message, in the room that was kept for them. */
export function MessageFiles({ files: all }: { files: readonly Attached[] }) {
  const pictures = all.filter((b): b is ImageBlock => b.type === 'image');
  const files = all.filter((b): b is FileBlock => b.type === 'file');
  const { width, height, columns } = pictureRoom(pictures);
  return (
    <span className={styles.blocks} style={{ width: roomOf(all).width }}>
      {pictures.length > 0 ? (
        <span
          className={styles.pictures}
          data-testid="pictures"
          style={{ width, aspectRatio: `${width} / ${height}`, gridTemplateColumns: `repeat(${columns}, 1fr)` }}
        >
          {pictures.map((p) => (
            <Picture
              key={p.file}
              picture={p}
              wide={width / columns}
              square={pictures.length > 1}
              onOpen={() => openPicture(p, pictures)}
            />
          ))}
        </span>
      ) : null}
      {files.map((file) => (
        <Card key={file.file} file={file} />
      ))}
    </span>
  );
}

/** How much wider than drawn a small picture must at least be on a sharp screen. */
const SHARP = 0.75;

/** The small one, unless it would be drawn clearly larger than it is. */
export function sideFor({ width = 0, height = 0 }: ImageBlock, drawn: number, square: boolean): 320 | 1600 {
  const longest = Math.max(width, height, 1);
  const shown = Math.min(1, 320 / longest);
  // In a square the shorter side fills it.
  const have = (square ? Math.min(width, height) : width) * shown;
  return have >= Math.min(width || 1, drawn * (globalThis.devicePixelRatio || 1)) * SHARP ? 320 : 1600;
}

function Picture({
  picture: p,
  wide,
  square,
  onOpen,
}: {
  picture: ImageBlock;
  /** How wide it is drawn, in CSS pixels. */
  wide: number;
  square: boolean;
  onOpen: () => void;
}) {
  const t = useT();
  const box = useRef<HTMLButtonElement>(null);
  const near = useNear(box);
  const own = previewOf(p.file);
  const small = usePicture(p.file, 320, near && !own);
  const large = usePicture(p.file, 1600, small.url !== undefined && sideFor(p, wide, square) === 1600);
  const [there, setThere] = useState(false);
  const name = p.name ?? '';
  const url = own ?? large.url ?? small.url;
  const { fault } = small;
  if (fault === 'gone' && !own) {
    return (
      <span className={cx(pictureStyles.picture, pictureStyles.fault, square && pictureStyles.square)}>
        <ImageOff aria-hidden />
        {t('files:picture.gone')}
      </span>
    );
  }
  return (
    <button
      ref={box}
      type="button"
      className={cx(pictureStyles.picture, fault && pictureStyles.fault, square && pictureStyles.square)}
      style={fault ? {} : { backgroundColor: p.colour ?? '' }}
      aria-label={t(fault ? 'files:picture.again' : 'files:picture.open', { name })}
      onClick={() => (fault ? small.again() : onOpen())}
    >
      {fault ? <ImageOff aria-hidden /> : null}
      {url && !fault ? <img src={url} alt="" draggable={false} decoding="async" onLoad={() => setThere(true)} /> : null}
      {there || fault ? null : <ImageSign aria-hidden className={pictureStyles.coming} />}
      {p.animated && !fault ? <span className={pictureStyles.moves}>GIF</span> : null}
    </button>
  );
}

/** Whether it was ever close to being in sight. */
function useNear(box: React.RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const el = box.current;
    if (!el || near) return;
    const watch = new IntersectionObserver(([entry]) => (entry?.isIntersecting ? setNear(true) : undefined), {
      root: el.closest('[role=log]'),
      rootMargin: '800px 0px',
    });
    watch.observe(el);
    return () => watch.disconnect();
  }, [box, near]);
  return near;
}

function Card({ file }: { file: FileBlock }) {
  const t = useT();
  const language = useLanguage();
  const name = file.name ?? '';
  const kind = kindOf(file);
  return (
    <button type="button" className={styles.card} data-testid="file" onClick={() => opened.setState({ file })}>
      <span className="visually-hidden">{t('files:read.open')} </span>
      <span className={styles.sign}>
        <FileIcon mime={file.mime ?? ''} name={name} />
      </span>
      <span className={styles.about}>
        <FileName name={name} />
        <span className={styles.size}>
          {kind ? `${kind} · ` : ''}
          {bytesText(language, file.size ?? 0)}
        </span>
      </span>
    </button>
  );
}

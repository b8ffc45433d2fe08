import { Image, ImageOff } from 'lucide-react';
import { useState } from 'react';
import type { ImageBlock } from '~/api/types';
import { useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { PICTURE_WORDS, type PictureFault, pictureFault, pictureUrl } from '../api';
import styles from './Picture.module.css';

/** How wide the picture of a side is: the server never enlarges. */
function widthOf({ width = 0, height = 0 }: ImageBlock, side: number): number {
  return Math.max(1, Math.round(width * Math.min(1, side / Math.max(width, height, 1))));
}

/** One picture small: a field of its colour until it is there, and words once it can no longer be read. */
export function Picture({
  picture: p,
  wide,
  square,
  onOpen,
}: {
  picture: ImageBlock;
  /** How wide it is drawn, in CSS pixels. */
  wide: number;
  square: boolean;
  onOpen: (picture: ImageBlock) => void;
}) {
  const t = useT();
  const [fault, setFault] = useState<PictureFault>();
  const [tries, setTries] = useState(0);
  const [there, setThere] = useState(false);
  const url = (side: 320 | 1600) => `${pictureUrl(p.file, side)}${tries > 0 ? `?again=${tries}` : ''}`;
  const look = async () => setFault(await pictureFault(p.file));
  const again = () => {
    setFault(undefined);
    setTries(tries + 1);
  };
  if (fault === 'gone' || fault === 'lost') {
    return (
      <span className={cx(styles.picture, styles.fault, square && styles.square)}>
        <ImageOff aria-hidden />
        {t(PICTURE_WORDS[fault])}
      </span>
    );
  }
  // In a square the shorter side fills it, so the file must be wider than what is seen.
  const drawn = square && p.width && p.height ? wide * Math.max(1, p.width / p.height) : wide;
  return (
    <button
      type="button"
      className={cx(styles.picture, fault && styles.fault, square && styles.square)}
      style={fault ? {} : { backgroundColor: p.colour ?? '' }}
      aria-label={t(fault ? 'files:picture.again' : 'files:picture.open', { name: p.name ?? '' })}
      onClick={() => (fault ? again() : onOpen(p))}
    >
      {fault ? (
        <ImageOff aria-hidden />
      ) : (
        <img
          key={tries}
          src={url(320)}
          srcSet={`${url(320)} ${widthOf(p, 320)}w, ${url(1600)} ${widthOf(p, 1600)}w`}
          sizes={`${Math.round(drawn)}px`}
          alt=""
          draggable={false}
          decoding="async"
          onLoad={() => setThere(true)}
          onError={() => void look()}
        />
      )}
      {there || fault ? null : <Image aria-hidden className={styles.coming} />}
      {p.animated && !fault ? <span className={styles.moves}>GIF</span> : null}
    </button>
  );
}

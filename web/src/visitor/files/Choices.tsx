import { File as AnyFile, Camera, ImagePlus, Video } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { chooseFiles } from '~/core/files/choose';
import { useT } from '../i18n';
import type { Kept } from '../kept';
import { take } from './attach';
import styles from './files.module.css';

/** Where files come from: on a phone its camera first. */
export function Choices({ kept, onClose }: { kept: Kept; onClose: () => void }) {
  const t = useT();
  const box = useRef<HTMLFieldSetElement>(null);
  const finger = window.matchMedia('(pointer: coarse)').matches;
  useEffect(() => box.current?.querySelector('button')?.focus(), []);
  const choose = (accept: string | undefined, camera = false) => {
    chooseFiles(accept, (files) => void take(kept, files, accept === undefined), camera);
    onClose();
  };
  return (
    <fieldset
      ref={box}
      className={styles.choices}
      aria-label={t('visitor:talk.attach')}
      onKeyDown={(e) => (e.key === 'Escape' ? onClose() : undefined)}
    >
      {finger ? (
        <>
          <button type="button" onClick={() => choose('image/*', true)}>
            <Camera aria-hidden />
            {t('files:choose.camera')}
          </button>
          <button type="button" onClick={() => choose('video/*', true)}>
            <Video aria-hidden />
            {t('files:choose.film')}
          </button>
        </>
      ) : null}
      <button type="button" onClick={() => choose('image/*,video/*')}>
        <ImagePlus aria-hidden />
        {t('files:choose.media')}
      </button>
      <button type="button" onClick={() => choose(undefined)}>
        <AnyFile aria-hidden />
        {t('files:choose.files')}
      </button>
    </fieldset>
  );
}

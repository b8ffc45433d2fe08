import { useT } from '~/i18n';
import type { Shows } from '../api';
import styles from './Preview.module.css';

/** A notice as it lies on a locked phone, for as much as it may show. The words are those of the server (`model/words.rs`). */
export function Preview({ shows }: { shows: Shows }) {
  const t = useT();
  const bare = shows === 'bare';
  return (
    <figure className={styles.preview}>
      <figcaption>{t('notify:preview.label')}</figcaption>
      <div className={styles.screen}>
        <div className={styles.notice} data-shows={shows}>
          <img src="/icons/192.png" alt="" width={28} height={28} />
          <div className={styles.words}>
            <strong>
              <bdi>{t(bare ? 'common:product' : 'notify:preview.who')}</bdi>
            </strong>
            <span>
              <bdi>
                {t(bare ? 'notify:preview.bare' : shows === 'sender' ? 'notify:preview.count' : 'notify:preview.text')}
              </bdi>
            </span>
          </div>
        </div>
      </div>
    </figure>
  );
}

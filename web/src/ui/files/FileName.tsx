import { nameParts } from '~/core/files/bytes';
import styles from './FileName.module.css';

/** One line; where it is too long its middle is left out, never its ending. */
export function FileName({ name }: { name: string }) {
  const [head, tail] = nameParts(name);
  return (
    <bdi className={styles.name} title={name}>
      <span className={styles.head}>{head}</span>
      <span className={styles.tail}>{tail}</span>
    </bdi>
  );
}

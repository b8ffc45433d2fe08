import { useState } from 'react';
import { initials } from '~/ui/initials';
import * as api from '../api';
import styles from '../visitor.module.css';

/** The face of who answers, or the beginning of their name. */
export function Face({ code, name, photo, small }: { code: string; name: string; photo: boolean; small?: boolean }) {
  const [broken, setBroken] = useState(false);
  return (
    <span className={`${styles.face} ${small ? styles.small : ''}`} aria-hidden>
      {photo && !broken ? <img src={api.faceOf(code)} alt="" onError={() => setBroken(true)} /> : initials(name)}
    </span>
  );
}

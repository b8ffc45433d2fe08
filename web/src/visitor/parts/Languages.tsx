import { LANGUAGES } from '~/i18n/languages';
import { setLanguage, useLanguage, useT } from '../i18n';
import styles from '../visitor.module.css';

/** By their own names, for whoever cannot read the others. */
export function Languages() {
  const t = useT();
  const language = useLanguage();
  return (
    <nav className={styles.languages} aria-label={t('visitor:state.language')}>
      {LANGUAGES.map(({ id, label }) => (
        <button
          key={id}
          type="button"
          lang={id}
          aria-current={id === language || undefined}
          onClick={() => void setLanguage(id)}
        >
          {label}
        </button>
      ))}
    </nav>
  );
}

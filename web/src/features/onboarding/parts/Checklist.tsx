import { Link } from '@tanstack/react-router';
import { Check, ChevronRight, X } from 'lucide-react';
import { useStore } from 'zustand';
import { settings } from '~/core/settings';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { cx } from '~/ui/cx';
import { useFirstSteps } from '../firstSteps';
import styles from './Checklist.module.css';

/** The first steps, each in a line; put away for good by its cross, and by itself once all are done. */
export function Checklist() {
  const away = useStore(settings, (s) => s.firstStepsDone);
  return away ? null : <Steps />;
}

function Steps() {
  const t = useT();
  const steps = useFirstSteps();
  if (!steps || steps.every((s) => s.done)) return null;
  const dismiss = () => settings.setState({ firstStepsDone: true });
  return (
    <section className={styles.card} aria-labelledby="first-steps">
      <header className={styles.head}>
        <h2 id="first-steps">{t('onboarding:steps.title')}</h2>
        <span className={styles.count}>
          {t('onboarding:steps.count', { done: steps.filter((s) => s.done).length, all: steps.length })}
        </span>
        <IconButton label={t('onboarding:steps.dismiss')} onPress={dismiss}>
          <X aria-hidden />
        </IconButton>
      </header>
      <ul>
        {steps.map((s) => (
          <li key={s.id} className={cx(styles.step, s.done && styles.done)}>
            <span
              className={styles.box}
              role="img"
              aria-label={t(s.done ? 'onboarding:steps.done' : 'onboarding:steps.open')}
            >
              {s.done ? <Check aria-hidden size={14} /> : null}
            </span>
            <span className={styles.words}>
              <span>{s.label}</span>
              <span className={styles.text}>{s.text}</span>
            </span>
            {s.done ? null : s.run ? (
              <button type="button" className={styles.go} aria-label={s.label} onClick={s.run}>
                <ChevronRight aria-hidden size={18} />
              </button>
            ) : s.link ? (
              <Link {...s.link} className={styles.go} aria-label={s.label}>
                <ChevronRight aria-hidden size={18} />
              </Link>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { sessionLifecycle } from '~/core/lifecycle';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { isNotLoaded } from '~/ui/notLoaded';
import { Page } from '~/ui/Page';
import styles from './Crash.module.css';
import { isUpdated } from './update';

/**
 * A screen threw, or did not come. The shell around it still works: says what happened, what is safe, and the next step.
 */
export function Crash({ error, reset }: Partial<ErrorComponentProps> & { error: unknown }) {
  return isNotLoaded(error) ? <Absent /> : <Broken error={error} {...(reset ? { reset } : {})} />;
}

/** A file did not come. A reload is only tried once the server answers, or the page would be gone with it. */
function Absent() {
  const t = useT();
  const [trying, setTrying] = useState(false);
  const [still, setStill] = useState(false);
  const retry = async () => {
    setTrying(true);
    if ((await isUpdated()) !== undefined) return location.reload();
    setTrying(false);
    setStill(true);
  };
  return (
    <Page title={t('common:absent.title')} lead={t('common:absent.text')}>
      <Safe />
      <p role="status">{still ? t('common:absent.still') : null}</p>
      <Button kind="primary" isPending={trying} onPress={() => void retry()}>
        {t('common:retry')}
      </Button>
      <Link to="/">{t('common:not_found.home')}</Link>
    </Page>
  );
}

function Broken({ error, reset }: { error: unknown; reset?: () => void }) {
  const t = useT();
  useEffect(() => {
    console.error(error);
  }, [error]);
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (
    <Page title={t('common:crash.title')} lead={t('common:crash.text')}>
      <Safe />
      {reset ? (
        <Button kind="primary" onPress={reset}>
          {t('common:retry')}
        </Button>
      ) : null}
      <Button onPress={() => location.reload()}>{t('common:crash.reload')}</Button>
      <Link to="/">{t('common:not_found.home')}</Link>
      <details className={styles.detail}>
        <summary>{t('common:crash.detail')}</summary>
        <pre>{detail.slice(0, 1_000)}</pre>
      </details>
    </Page>
  );
}

/** What is not lost. */
function Safe() {
  const t = useT();
  const count = session.getState().status === 'signed_in' ? sessionLifecycle().unsent() : 0;
  return count > 0 ? <p>{t('common:crash.unsent', { count })}</p> : null;
}

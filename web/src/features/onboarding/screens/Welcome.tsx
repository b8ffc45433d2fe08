import { Link } from '@tanstack/react-router';
import { Building2, ScanLine, UserPlus } from 'lucide-react';
import { useStore } from 'zustand';
import { AppError } from '~/api/client';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { FailedState } from '~/ui/EmptyState';
import form from '~/ui/form.module.css';
import { Page, PageFoot } from '~/ui/Page';
import styles from './Welcome.module.css';

/** The first visit without an invitation: which server this is, and the two ways in. */
export function Welcome() {
  const t = useT();
  const { server, status } = useStore(session);
  if (status === 'unreachable') {
    return (
      <Page title={t('onboarding:welcome.unreachable')} lead={location.host}>
        <FailedState error={new AppError('network', 0)} retry={() => location.reload()} />
      </Page>
    );
  }
  const signedIn = status === 'signed_in';
  return (
    <Page title={t('onboarding:welcome.title')}>
      <dl className={styles.server}>
        <dt>{t('onboarding:welcome.server')}</dt>
        <dd>
          {server?.name ? <span>{server.name}</span> : null} <span className={styles.host}>{location.host}</span>
        </dd>
      </dl>
      {server?.plain_http ? <p className={form.notice}>{t('onboarding:welcome.plain_http')}</p> : null}
      {server?.setup_required ? (
        <p className={form.notice}>{t('onboarding:welcome.setup_needed')}</p>
      ) : (
        <nav className={styles.ways}>
          <Link
            className={styles.way}
            to={signedIn ? '/create' : '/sign-up'}
            search={signedIn ? {} : { next: 'create' }}
          >
            <Building2 aria-hidden />
            <span>
              <strong>{t('onboarding:welcome.create')}</strong>
              <small>{t('onboarding:welcome.create_text')}</small>
            </span>
          </Link>
          <Link className={styles.way} to="/join">
            <UserPlus aria-hidden />
            <span>
              <strong>{t('onboarding:welcome.join')}</strong>
              <small>{t('onboarding:welcome.join_text')}</small>
            </span>
          </Link>
          <Link className={styles.way} to="/scan">
            <ScanLine aria-hidden />
            <span>
              <strong>{t('scan:title')}</strong>
              <small>{t('scan:place')}</small>
            </span>
          </Link>
        </nav>
      )}
      {signedIn ? null : (
        <PageFoot>
          {t('onboarding:welcome.have_account')} <Link to="/sign-in">{t('onboarding:welcome.sign_in')}</Link>
        </PageFoot>
      )}
    </Page>
  );
}

import { useNavigate } from '@tanstack/react-router';
import { useStore } from 'zustand';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { CopyButton } from '~/ui/CopyButton';
import form from '~/ui/form.module.css';
import { Page } from '~/ui/Page';
import type { Found } from '../what';
import styles from './Result.module.css';

/** What was scanned, in words, and the one step that follows from it. A text nobody knows can be copied, never opened. */
export function Result({ found, onAgain }: { found: Found; onAgain: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const signedIn = useStore(session, (s) => s.status === 'signed_in');
  const again = (
    <Button wide onPress={onAgain}>
      {t('scan:again')}
    </Button>
  );
  if (found.kind === 'text' || found.kind === 'elsewhere') {
    const elsewhere = found.kind === 'elsewhere';
    return (
      <Page
        title={t(elsewhere ? 'scan:elsewhere' : 'scan:unknown')}
        lead={elsewhere ? t('scan:elsewhere_text', { host: found.host }) : t('scan:unknown_text')}
      >
        {/* All of it, since nobody can judge half an address; the key beside it takes it along. */}
        <p className={styles.text} data-testid="scanned">
          {found.text}
        </p>
        <CopyButton text={found.text} />
        {again}
      </Page>
    );
  }
  const shown = {
    join: { title: t('scan:join'), text: t('scan:join_text'), code: found.kind === 'join' ? found.display : '' },
    link: { title: t('scan:link'), text: t('scan:link_text'), code: '' },
    person: { title: t('scan:person'), text: t('scan:person_text'), code: '' },
    guest: { title: t('scan:guest'), text: t(signedIn ? 'scan:guest_text_signed_in' : 'scan:guest_text'), code: '' },
    card: { title: t('scan:card'), text: t('scan:card_text'), code: found.kind === 'card' ? found.login : '' },
  }[found.kind];
  const open = () => {
    if (found.kind === 'join') return navigate({ to: '/join/$code', params: { code: found.code } });
    if (found.kind === 'link') return navigate({ to: '/link/$code', params: { code: found.code } });
    if (found.kind === 'person') return navigate({ to: '/u/$code', params: { code: found.code } });
    // A page of its own, outside of the app.
    if (found.kind === 'guest') return window.location.assign(`/g/${found.code}`);
    return navigate({ to: '/card/$login', params: { login: found.login } });
  };
  const needsAccount = !signedIn && (found.kind === 'link' || found.kind === 'person');
  return (
    <Page title={shown.title} lead={shown.text}>
      {shown.code ? (
        <p className={styles.text} data-testid="scanned">
          {shown.code}
        </p>
      ) : null}
      {needsAccount ? <p className={form.notice}>{t('scan:sign_in_first')}</p> : null}
      <Button kind="primary" wide autoFocus onPress={() => void open()}>
        {t('scan:go_on')}
      </Button>
      {again}
    </Page>
  );
}

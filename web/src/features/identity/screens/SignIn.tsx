import { Link, useSearch } from '@tanstack/react-router';
import { Fingerprint, QrCode as QrIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { session } from '~/core/store/session';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { Page, PageFoot } from '~/ui/Page';
import { Toggle } from '~/ui/Toggle';
import { useSubmit } from '~/ui/useSubmit';
import { signInByPasskey } from '../api';
import { PasswordSignIn } from '../parts/PasswordSignIn';
import { QrSignIn } from '../parts/QrSignIn';
import { useEnter } from '../parts/useEnter';
import { dropPasskeyCeremony, passkeysHere } from '../passkey';
import styles from './SignIn.module.css';

/** Every way in: the device's face or finger, a password, another device. */
export function SignIn() {
  const t = useT();
  const { to } = useSearch({ from: '/sign-in' });
  const { endedElsewhere: ended, server } = useStore(session);
  const enter = useEnter(to);
  const [shared, setShared] = useState(false);
  const [byQr, setByQr] = useState(false);
  const { submit, pending, general } = useSubmit(async () => enter(await signInByPasskey(shared)));
  useEffect(() => dropPasskeyCeremony, []);
  const sharing = (
    <Toggle on={shared} onChange={setShared}>
      {t('identity:sign_in.shared')}
      <small className={styles.small}>{t('identity:sign_in.shared_hint')}</small>
    </Toggle>
  );
  return (
    <Page title={t('identity:sign_in.title')}>
      {ended ? <p className={form.notice}>{t('identity:sign_in.ended')}</p> : null}
      {server?.plain_http ? <p className={form.notice}>{t('identity:sign_in.plain_http')}</p> : null}
      {byQr ? (
        <>
          {sharing}
          <QrSignIn key={String(shared)} shared={shared} onDone={enter} />
        </>
      ) : (
        <PasswordSignIn shared={shared} onDone={enter}>
          {sharing}
        </PasswordSignIn>
      )}
      <div className={styles.ways}>
        {passkeysHere() ? (
          <Button wide isPending={pending} onPress={() => void submit()}>
            <Fingerprint aria-hidden size={18} />
            {t('identity:sign_in.passkey')}
          </Button>
        ) : null}
        <Button wide onPress={() => setByQr(!byQr)}>
          {byQr ? null : <QrIcon aria-hidden size={18} />}
          {byQr ? t('identity:sign_in.by_password') : t('identity:sign_in.by_qr')}
        </Button>
        <FormError>{general()}</FormError>
      </div>
      <PageFoot>
        <Link to="/reset">{t('identity:sign_in.forgot')}</Link>
      </PageFoot>
      <PageFoot>
        {t('identity:sign_in.no_account')} <Link to="/welcome">{t('identity:sign_in.sign_up')}</Link>
      </PageFoot>
    </Page>
  );
}

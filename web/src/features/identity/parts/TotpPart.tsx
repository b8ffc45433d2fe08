import { type FormEvent, useState } from 'react';
import type { Me } from '~/api/types';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { Confirm, Dialog } from '~/ui/Dialog';
import { FormError } from '~/ui/FormError';
import form from '~/ui/form.module.css';
import { QrCode } from '~/ui/QrCode';
import { Row, Rows, Section } from '~/ui/Section';
import { toast } from '~/ui/Toast';
import { useSubmit } from '~/ui/useSubmit';
import { confirmTotp, newRecoveryCodes, startTotp, stopTotp } from '../api';
import { CodeField } from './CodeField';
import type { Prove } from './PasswordPart';
import styles from './QrSignIn.module.css';
import { RecoveryCodes } from './RecoveryCodes';

/** A second step after the password, and the codes for the day the phone is gone. */
export function TotpPart({ me, prove, onChanged }: { me: Me; prove: Prove; onChanged: () => void }) {
  const t = useT();
  const [setup, setSetup] = useState<{ secret: string; url: string }>();
  const [codes, setCodes] = useState<string[]>();
  const [stopping, setStopping] = useState(false);
  const on = me.credentials.totp;
  const lost = on && me.credentials.totp_unreadable;
  const begin = useSubmit(async () => setSetup(await prove(startTotp)));
  const renew = useSubmit(async () => {
    setCodes((await prove(newRecoveryCodes)).recovery_codes);
    onChanged();
  });
  const stop = useSubmit(async () => {
    await prove(stopTotp);
    toast(t('identity:totp.stopped'));
    onChanged();
  });
  const made = (given: string[]) => {
    setSetup(undefined);
    setCodes(given);
    onChanged();
  };
  if (!me.credentials.password) return null;
  return (
    <Section title={t('identity:totp.title')} text={t('identity:totp.text')}>
      <Rows>
        <Row
          words={lost ? t('identity:totp.lost') : on ? t('identity:totp.on') : t('identity:totp.off')}
          below={on ? t('identity:totp.left', { count: me.credentials.recovery_codes }) : undefined}
        >
          {lost ? (
            <Button isPending={begin.pending} onPress={() => void begin.submit()}>
              {t('identity:totp.anew')}
            </Button>
          ) : null}
          {on ? (
            <>
              <Button isPending={renew.pending} onPress={() => void renew.submit()}>
                {t('identity:totp.renew')}
              </Button>
              <Button isPending={stop.pending} onPress={() => setStopping(true)}>
                {t('identity:totp.stop')}
              </Button>
            </>
          ) : (
            <Button isPending={begin.pending} onPress={() => void begin.submit()}>
              {t('identity:totp.begin')}
            </Button>
          )}
        </Row>
      </Rows>
      {lost ? <p className={form.notice}>{t('identity:totp.lost_text')}</p> : null}
      <FormError>{begin.general() ?? renew.general() ?? stop.general()}</FormError>
      {setup ? <Setup setup={setup} onClose={() => setSetup(undefined)} onDone={made} /> : null}
      {codes ? <RecoveryCodes codes={codes} onClose={() => setCodes(undefined)} /> : null}
      <Confirm
        open={stopping}
        onClose={() => setStopping(false)}
        onConfirm={() => void stop.submit()}
        title={t('identity:totp.stop_title')}
        confirm={t('identity:totp.stop')}
      >
        {t('identity:totp.stop_text')}
      </Confirm>
    </Section>
  );
}

function Setup({
  setup,
  onClose,
  onDone,
}: {
  setup: { secret: string; url: string };
  onClose: () => void;
  onDone: (codes: string[]) => void;
}) {
  const t = useT();
  const [code, setCode] = useState('');
  const { submit, pending, at, general } = useSubmit(async () => onDone((await confirmTotp(code)).recovery_codes));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return (
    <Dialog title={t('identity:totp.begin')} open onClose={onClose}>
      <form className={form.form} onSubmit={onSubmit}>
        <p>{t('identity:totp.scan')}</p>
        <div className={styles.panel}>
          <QrCode text={setup.url} label={t('identity:totp.qr')} />
        </div>
        <CopyField label={t('identity:totp.secret')} text={setup.secret} />
        <CodeField
          label={t('identity:second.totp')}
          hint={t('identity:totp.confirm_hint')}
          value={code}
          onChange={setCode}
          error={at('code') ?? at('totp') ?? general('code', 'totp')}
        />
        <Button kind="primary" wide type="submit" isPending={pending}>
          {t('identity:totp.confirm')}
        </Button>
      </form>
    </Dialog>
  );
}

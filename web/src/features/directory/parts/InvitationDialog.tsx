import { Printer } from 'lucide-react';
import type { Invitation, Org } from '~/api/types';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { Dialog } from '~/ui/Dialog';
import { Print } from '~/ui/Print';
import { QrCode } from '~/ui/QrCode';
import styles from '../screens/manage/Manage.module.css';
import poster from './Poster.module.css';

/** A short code as it is read aloud and typed: in two halves. */
export const spoken = (short: string): string => `${short.slice(0, 4)}-${short.slice(4)}`.toUpperCase();

/** A link, a code to scan, a code to type, a sheet to hang up. */
export function InvitationDialog({
  org,
  invitation,
  onClose,
}: {
  org: Org;
  invitation: Invitation;
  onClose: () => void;
}) {
  const t = useT();
  const locale = useLocale();
  const until = t('onboarding:invite.expires', { when: fullTime(locale, invitation.expires_at) });
  return (
    <Dialog
      title={invitation.label || t('directory:invitations.one')}
      open
      onClose={onClose}
      actions={
        <>
          <Button onPress={() => window.print()}>
            <Printer aria-hidden size={16} />
            {t('directory:invitations.print')}
          </Button>
          <Button kind="primary" onPress={onClose}>
            {t('common:close')}
          </Button>
        </>
      }
    >
      <div className={styles.codes}>
        <QrCode text={invitation.url} label={t('onboarding:invite.qr')} />
        <div>
          <CopyField label={t('onboarding:invite.link')} text={invitation.url} />
          {invitation.short ? (
            <p>
              {t('directory:invitations.short')} <span className={styles.short}>{spoken(invitation.short)}</span>
            </p>
          ) : null}
          <p>{until}</p>
        </div>
      </div>
      <Print>
        <article className={poster.poster}>
          <h1>{org.name}</h1>
          <p>{t('directory:invitations.poster')}</p>
          <QrCode text={invitation.url} label={t('onboarding:invite.qr')} />
          {invitation.short ? <p className={styles.short}>{spoken(invitation.short)}</p> : null}
          <p>{invitation.url}</p>
          <p>{until}</p>
        </article>
      </Print>
    </Dialog>
  );
}

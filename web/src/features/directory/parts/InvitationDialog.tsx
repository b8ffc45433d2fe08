import { Printer } from 'lucide-react';
import type { Invitation, Org } from '~/api/types';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { Dialog } from '~/ui/Dialog';
import { Poster, PosterPreview } from '~/ui/Poster';
import { QrCode } from '~/ui/QrCode';
import styles from '../screens/manage/Manage.module.css';
import { usePoster } from './invitation';

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
  const poster = usePoster(org.name, invitation);
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
        <QrCode text={invitation.url} label={poster.qr} />
        <div>
          <CopyField label={t('onboarding:invite.link')} text={invitation.url} />
          {poster.code ? (
            <p>
              {t('directory:invitations.short')} <span className={styles.short}>{poster.code}</span>
            </p>
          ) : null}
          <p>{poster.until}</p>
        </div>
      </div>
      <section className={styles.poster} aria-label={t('directory:invitations.preview')}>
        <h3>{t('directory:invitations.preview')}</h3>
        <PosterPreview {...poster} />
      </section>
      <Poster {...poster} />
    </Dialog>
  );
}

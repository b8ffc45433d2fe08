import { Printer } from 'lucide-react';
import type { GuestLink } from '~/api/types';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import { Button } from '~/ui/Button';
import { CopyField } from '~/ui/CopyField';
import { Dialog } from '~/ui/Dialog';
import form from '~/ui/form.module.css';
import { Poster } from '~/ui/Poster';
import { QrCode } from '~/ui/QrCode';

/** A link to send, a code to scan, a sheet to hang up. */
export function GuestLinkDialog({ title, link, onClose }: { title: string; link: GuestLink; onClose: () => void }) {
  const t = useT();
  const locale = useLocale();
  const until = t('guests:until', { when: fullTime(locale, link.expires_at) });
  return (
    <Dialog
      title={link.label || t('guests:one')}
      open
      onClose={onClose}
      actions={
        <>
          <Button onPress={() => window.print()}>
            <Printer aria-hidden size={16} />
            {t('guests:print')}
          </Button>
          <Button kind="primary" onPress={onClose}>
            {t('common:close')}
          </Button>
        </>
      }
    >
      <div className={form.form}>
        <QrCode text={link.url} label={t('guests:qr')} />
        <CopyField label={t('guests:link')} text={link.url} />
        <p>{until}</p>
      </div>
      <Poster title={title} lead={t('guests:poster')} url={link.url} until={until} qr={t('guests:qr')} />
    </Dialog>
  );
}

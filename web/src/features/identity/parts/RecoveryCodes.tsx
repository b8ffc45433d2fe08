import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { copyText } from '~/ui/copy';
import { Dialog } from '~/ui/Dialog';
import form from '~/ui/form.module.css';
import { toast } from '~/ui/Toast';
import styles from './RecoveryCodes.module.css';

/** Shown this once: to be copied, printed or written down. */
export function RecoveryCodes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const t = useT();
  const copy = async () => {
    toast((await copyText(codes.join('\n'))) ? t('common:copied') : t('common:copy_failed'));
  };
  return (
    <Dialog
      title={t('identity:recovery.title')}
      open
      onClose={onClose}
      actions={
        <>
          <Button onPress={() => void copy()}>{t('common:copy')}</Button>
          <Button kind="primary" onPress={onClose}>
            {t('identity:recovery.kept')}
          </Button>
        </>
      }
    >
      <div className={form.form}>
        <p>{t('identity:recovery.text')}</p>
        <ol className={styles.codes}>
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ol>
      </div>
    </Dialog>
  );
}

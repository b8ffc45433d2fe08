import { X } from 'lucide-react';
import { useT } from '~/i18n';
import { Button, IconButton } from '~/ui/Button';
import { dropOther, takeOther } from '../drafts';
import styles from './Composer.module.css';

/** What was written on another device while this one was away: offered, never lost. */
export function OtherDraft({ conversation, other }: { conversation: string; other: string }) {
  const t = useT();
  return (
    <div className={styles.above} role="status">
      <span className={styles.what}>{t('chat:composer.other', { text: other })}</span>
      <Button kind="quiet" onPress={() => takeOther(conversation)}>
        {t('chat:composer.use_that')}
      </Button>
      <IconButton small label={t('chat:composer.discard')} onPress={() => dropOther(conversation)}>
        <X aria-hidden />
      </IconButton>
    </div>
  );
}

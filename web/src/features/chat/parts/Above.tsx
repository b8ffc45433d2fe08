import { X } from 'lucide-react';
import { useStore } from 'zustand';
import { people } from '~/core/store/people';
import { useT } from '~/i18n';
import { IconButton } from '~/ui/Button';
import { messageAt } from '../segments';
import { chat } from '../store';
import { plainText } from '../text';
import styles from './Composer.module.css';
import type { ComposerModel } from './useComposer';

/** What is being answered or edited, above the text. */
export function Above({ conversation, composer }: { conversation: string; composer: ComposerModel }) {
  const t = useT();
  const seq = composer.editing ? undefined : composer.draft.reply_to;
  const message = useStore(chat, (s) =>
    seq === undefined ? undefined : messageAt(s.timelines[conversation]?.segments ?? [], seq),
  );
  const users = useStore(people, (s) => s.users);
  const nameOf = (id: string) => users[id]?.name ?? '';
  const what = composer.editing
    ? t('chat:composer.editing')
    : t('chat:composer.replying', {
        who: message ? nameOf(message.sender.id) : '',
        text: message ? plainText(message.body, nameOf) : '',
      });
  return (
    <div className={styles.above}>
      <span className={styles.what}>{what}</span>
      <IconButton small label={t('common:cancel')} onPress={() => composer.cancel()}>
        <X aria-hidden />
      </IconButton>
    </div>
  );
}

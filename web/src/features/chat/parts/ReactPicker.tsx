import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useT } from '~/i18n';
import { EmojiPicker } from './EmojiPicker';
import { QuickReactions } from './Reactions';
import styles from './Reactions.module.css';

/** The few reactions of most days, and one step further all of them. */
export function ReactPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const t = useT();
  const [all, setAll] = useState(false);
  if (all) return <EmojiPicker onPick={onPick} />;
  return (
    <div className={styles.withMore}>
      <QuickReactions onPick={onPick} />
      <button
        type="button"
        className={styles.pick}
        aria-label={t('chat:action.react_more')}
        title={t('chat:action.react_more')}
        onClick={() => setAll(true)}
      >
        <Plus aria-hidden size={18} />
      </button>
    </div>
  );
}

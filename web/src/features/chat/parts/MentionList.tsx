import { AtSign } from 'lucide-react';
import { useT } from '~/i18n';
import { Avatar } from '~/ui/Avatar';
import { cx } from '~/ui/cx';
import { ALL } from '../text';
import styles from './MentionList.module.css';
import type { Candidate } from './useMentions';

/** Above the composer; the focus stays in the text, which names the marked line as its active descendant. */
export function MentionList({
  id,
  candidates,
  index,
  onPick,
}: {
  id: string;
  candidates: Candidate[];
  index: number;
  onPick: (candidate: Candidate) => void;
}) {
  const t = useT();
  return (
    <div id={id} role="listbox" aria-label={t('chat:mention.label')} className={styles.list}>
      {candidates.map((c, i) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the text field's
        <div
          key={c.user}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === index}
          className={cx(styles.option, i === index && styles.marked)}
          onPointerDown={(e) => e.preventDefault()}
          onClick={() => onPick(c)}
        >
          {c.user === ALL ? (
            <span className={styles.all}>
              <AtSign aria-hidden />
            </span>
          ) : (
            <Avatar id={c.user} name={c.name} size="small" />
          )}
          <span className={styles.name}>{c.name}</span>
          {c.detail ? <span className={styles.detail}>{c.detail}</span> : null}
        </div>
      ))}
    </div>
  );
}

import { asAppError } from '~/api/client';
import type { Message, Reaction } from '~/api/types';
import { useErrorText, useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { toast } from '~/ui/Toast';
import { react } from '../actions';
import { useNames } from '../names';
import styles from './Reactions.module.css';

export const QUICK = ['👍', '❤️', '😄', '🎉', '🙏', '✅'] as const;

/** Sets or takes back one's own reaction; what the server refuses is said. */
export function useReact(conversation: string, message: Message): (emoji: string) => void {
  const errorText = useErrorText();
  return (emoji) => {
    const on = !(message.reactions ?? []).some((r) => r.emoji === emoji && r.me);
    react(conversation, message.seq, emoji, on).catch((e) => toast(errorText(asAppError(e))));
  };
}

export function Reactions({ conversation, message }: { conversation: string; message: Message }) {
  const flip = useReact(conversation, message);
  const shown = message.reactions?.filter((r) => r.count > 0) ?? [];
  if (shown.length === 0) return null;
  return (
    <div className={styles.list}>
      {shown.map((r) => (
        <One key={r.emoji} reaction={r} onFlip={() => flip(r.emoji)} />
      ))}
    </div>
  );
}

function One({ reaction: r, onFlip }: { reaction: Reaction; onFlip: () => void }) {
  const t = useT();
  const names = useNames(r.users.slice(0, 8)).filter(Boolean).join(t('chat:title.join'));
  return (
    <button
      type="button"
      className={cx(styles.one, r.me && styles.mine)}
      aria-pressed={r.me}
      aria-label={t('chat:reaction.label', { emoji: r.emoji, count: r.count, names })}
      title={names}
      onClick={onFlip}
    >
      <span aria-hidden>{r.emoji}</span>
      <span aria-hidden>{r.count}</span>
    </button>
  );
}

/** The few reactions that are enough for most days. */
export function QuickReactions({ onPick }: { onPick: (emoji: string) => void }) {
  const t = useT();
  return (
    <fieldset className={styles.quick} aria-label={t('chat:action.react')}>
      {QUICK.map((emoji) => (
        <button key={emoji} type="button" className={styles.pick} onClick={() => onPick(emoji)}>
          {emoji}
        </button>
      ))}
    </fieldset>
  );
}

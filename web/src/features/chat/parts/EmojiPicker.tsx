import { type KeyboardEvent, useState } from 'react';
import { useT } from '~/i18n';
import { cx } from '~/ui/cx';
import { isComposing } from '~/ui/isComposing';
import styles from './EmojiPicker.module.css';
import { EMOJI, GROUPS, type Group, recentEmoji, rememberEmoji } from './emoji';

const LABELS = {
  recent: 'chat:emoji.recent',
  faces: 'chat:emoji.faces',
  people: 'chat:emoji.people',
  nature: 'chat:emoji.nature',
  food: 'chat:emoji.food',
  work: 'chat:emoji.work',
  feast: 'chat:emoji.feast',
  signs: 'chat:emoji.signs',
} as const;

/** Groups of emoji, the latest used first. The arrow keys move in the grid. */
export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const t = useT();
  const [recent] = useState(recentEmoji);
  const [group, setGroup] = useState<Group>('faces');
  const pick = (emoji: string) => {
    rememberEmoji(emoji);
    onPick(emoji);
  };
  return (
    <div className={styles.picker}>
      {recent.length > 0 ? <Grid label={t(LABELS.recent)} list={recent} onPick={pick} one /> : null}
      <div className={styles.groups} role="tablist" aria-label={t('chat:composer.emoji')}>
        {GROUPS.map((g) => (
          <button
            key={g}
            type="button"
            role="tab"
            aria-selected={g === group}
            aria-label={t(LABELS[g])}
            title={t(LABELS[g])}
            className={cx(styles.group, g === group && styles.current)}
            onClick={() => setGroup(g)}
          >
            {EMOJI[g][0]}
          </button>
        ))}
      </div>
      <Grid label={t(LABELS[group])} list={EMOJI[group]} onPick={pick} />
    </div>
  );
}

function Grid({
  label,
  list,
  onPick,
  one,
}: {
  label: string;
  list: string[];
  onPick: (emoji: string) => void;
  one?: boolean;
}) {
  return (
    <fieldset className={cx(styles.grid, one && styles.one)} aria-label={label} onKeyDown={move}>
      {list.map((emoji, i) => (
        <button
          key={emoji}
          type="button"
          className={styles.emoji}
          tabIndex={i === 0 ? 0 : -1}
          onClick={() => onPick(emoji)}
        >
          {emoji}
        </button>
      ))}
    </fieldset>
  );
}

/** One step of Tab enters the grid, arrows go through it. */
function move(e: KeyboardEvent<HTMLFieldSetElement>): void {
  if (isComposing(e)) return;
  const all = Array.from(e.currentTarget.querySelectorAll('button'));
  const at = all.indexOf(document.activeElement as HTMLButtonElement);
  const top = all[0]?.offsetTop;
  const columns = Math.max(1, all.filter((b) => b.offsetTop === top).length);
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[e.key];
  const next = step === undefined || at < 0 ? undefined : all[at + step];
  if (!next) return;
  e.preventDefault();
  next.focus();
}

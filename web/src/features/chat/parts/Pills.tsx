import { ArrowDown, ArrowUp, Undo2 } from 'lucide-react';
import { useT } from '~/i18n';
import { cx } from '~/ui/cx';
import type { TimelineProps } from './Timeline';
import styles from './Timeline.module.css';

/** The ways to what is not in sight. */
export function Pills({
  away,
  toEnd,
  ...props
}: TimelineProps & {
  /** The newest message is not in sight. */
  away: boolean;
  toEnd: () => void;
}) {
  const t = useT();
  return (
    <>
      {props.above ? (
        <button type="button" className={cx(styles.pill, styles.above)} onClick={props.onUnread}>
          <ArrowUp aria-hidden size={16} />
          {t('chat:timeline.unread_above', { count: props.above })}
        </button>
      ) : null}
      <div className={styles.pills}>
        {props.onBack ? (
          <button type="button" className={styles.pill} onClick={props.onBack}>
            <Undo2 aria-hidden size={16} />
            {t('chat:timeline.back')}
          </button>
        ) : null}
        {away ? (
          <button type="button" className={styles.pill} onClick={() => (props.hasAfter ? props.onEnd() : toEnd())}>
            <ArrowDown aria-hidden size={16} />
            {props.below > 0 ? t('chat:timeline.new_below', { count: props.below }) : t('chat:timeline.to_end')}
          </button>
        ) : null}
      </div>
    </>
  );
}

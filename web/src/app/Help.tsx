import { useStore } from 'zustand';
import { settings } from '~/core/settings';
import { useT } from '~/i18n';
import { Dialog } from '~/ui/Dialog';
import styles from './Help.module.css';
import { SHORTCUTS, written } from './shortcuts';

/** Every key there is. */
export function Help({ onClose }: { onClose: () => void }) {
  const t = useT();
  const enterSends = useStore(settings, (s) => s.enterSends);
  const shown = SHORTCUTS.map((s) => {
    if (enterSends || (s.id !== 'send' && s.id !== 'line')) return { ...s, shown: s.keys };
    return { ...s, shown: s.id === 'send' ? 'Mod+Enter' : 'Enter' };
  });
  return (
    <Dialog title={t('common:keys.title')} open onClose={onClose}>
      {(['anywhere', 'chat'] as const).map((group) => (
        <section key={group} className={styles.group}>
          <h3>{t(`common:keys.${group}`)}</h3>
          <dl className={styles.list}>
            {shown
              .filter((s) => s.group === group)
              .map((s) => (
                <div key={s.id} className={styles.line}>
                  <dt>{t(`common:keys.what.${s.id}`)}</dt>
                  <dd>
                    <kbd className={styles.keys}>{written(s.shown)}</kbd>
                  </dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

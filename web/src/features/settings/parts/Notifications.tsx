import { useState } from 'react';
import { useStore } from 'zustand';
import { askForNotifications, notificationState } from '~/core/notifications';
import { settings } from '~/core/settings';
import { useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Section } from '~/ui/Section';
import { Toggle } from '~/ui/Toggle';

/** Whether messages are told through the system. The browser asks only after somebody pressed the button here. */
export function Notifications() {
  const t = useT();
  const [state, setState] = useState(notificationState);
  const { notifications, notifyText } = useStore(settings);
  const ask = async () => {
    const now = await askForNotifications();
    setState(now);
    // Starts what watches: it looks at the permission when the switch moves.
    if (now === 'granted') {
      settings.setState({ notifications: false });
      settings.setState({ notifications: true });
    }
  };
  return (
    <Section title={t('settings:notify.title')} text={t(`settings:notify.state.${state}`)}>
      {state === 'ask' ? <Button onPress={() => void ask()}>{t('settings:notify.allow')}</Button> : null}
      {state === 'granted' ? (
        <>
          <Toggle on={notifications} onChange={(on) => settings.setState({ notifications: on })}>
            {t('settings:notify.on')}
          </Toggle>
          {notifications ? (
            <Toggle on={notifyText} onChange={(on) => settings.setState({ notifyText: on })}>
              {t('settings:notify.text')}
            </Toggle>
          ) : null}
        </>
      ) : null}
    </Section>
  );
}

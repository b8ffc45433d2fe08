import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import { asAppError } from '~/api/client';
import { sessionLifecycle } from '~/core/lifecycle';
import { FONT_SIZES, setCare, settings, type Theme } from '~/core/settings';
import { Notices, ProfilePart, readMe } from '~/features/identity';
import { LANGUAGES, setLanguage, useErrorText, useLocale, useT } from '~/i18n';
import { Button } from '~/ui/Button';
import { Choice } from '~/ui/Choice';
import { Confirm } from '~/ui/Dialog';
import { usePlaces } from '~/ui/destination';
import { InnerPage } from '~/ui/InnerPage';
import { toast } from '~/ui/Toast';
import { Toggle } from '~/ui/Toggle';
import { Notifications } from '../parts/Notifications';
import { RestHours } from '../parts/RestHours';
import { Sessions } from '../parts/Sessions';
import styles from './Me.module.css';

export function Me() {
  const t = useT();
  return (
    <InnerPage title={t('settings:title')}>
      <Notices />
      <ProfilePart />
      <Account />
      <Look />
      <Writing />
      <Notifications />
      <RestHours />
      <Keys />
      <Sessions />
      <SignOut />
    </InnerPage>
  );
}

/** Doors to the rest of the account. */
function Account() {
  const t = useT();
  const me = useQuery({ queryKey: ['me'], queryFn: readMe, staleTime: 60_000 });
  return (
    <nav className={styles.section} aria-label={t('settings:account')}>
      <h2>{t('settings:account')}</h2>
      <ul className={styles.doors}>
        <Door to="/me/security" label={t('identity:security.title')} />
        <Door to="/friends" label={t('directory:friends.title')} />
        <Door to="/me/reach" label={t('notify:door')} />
        <Door to="/me/activity" label={t('identity:activity.title')} />
        <Door to="/me/merge" label={t('identity:merge.title')} />
        {me.data?.operator ? <Door to="/admin" label={t('admin:door')} /> : null}
      </ul>
    </nav>
  );
}

type Doors = '/me/security' | '/me/reach' | '/friends' | '/me/activity' | '/me/merge' | '/admin';

function Door({ to, label }: { to: Doors; label: string }) {
  return (
    <li>
      <Link to={to} className={styles.door}>
        {label}
        <ChevronRight aria-hidden size={18} />
      </Link>
    </li>
  );
}

function Look() {
  const t = useT();
  const locale = useLocale();
  const { theme, fontSize, density, care } = useStore(settings);
  const navigate = useNavigate();
  const themes: { id: Theme; label: string }[] = [
    { id: 'system', label: t('settings:themes.system') },
    { id: 'light', label: t('settings:themes.light') },
    { id: 'dark', label: t('settings:themes.dark') },
    { id: 'contrast', label: t('settings:themes.contrast') },
  ];
  const step = FONT_SIZES.indexOf(fontSize);
  return (
    <section className={styles.section}>
      <h2>{t('settings:look')}</h2>
      <div className={styles.line}>
        <span>{t('settings:theme')}</span>
        <Choice
          label={t('settings:theme')}
          value={theme}
          options={themes}
          onChange={(v) => settings.setState({ theme: v })}
        />
      </div>
      <div className={styles.line}>
        <span>{t('settings:language')}</span>
        <Choice
          label={t('settings:language')}
          value={locale}
          options={LANGUAGES}
          onChange={(v) => void setLanguage(v)}
        />
      </div>
      <div className={styles.line}>
        <label htmlFor="font-size">{t('settings:font_size')}</label>
        <span className={styles.range}>
          <input
            id="font-size"
            type="range"
            min={0}
            max={FONT_SIZES.length - 1}
            step={1}
            value={step}
            aria-valuetext={String(fontSize)}
            onChange={(e) => settings.setState({ fontSize: FONT_SIZES[Number(e.target.value)] ?? 14 })}
          />
          <output htmlFor="font-size">{fontSize}</output>
        </span>
      </div>
      <p className={styles.sample}>{t('settings:font_sample')}</p>
      <div className={styles.line}>
        <span>{t('settings:density')}</span>
        <Choice
          label={t('settings:density')}
          value={density}
          options={[
            { id: 'comfortable', label: t('settings:densities.comfortable') },
            { id: 'compact', label: t('settings:densities.compact') },
          ]}
          onChange={(v) => settings.setState({ density: v })}
        />
      </div>
      <Toggle
        on={care}
        onChange={(on) => {
          setCare(on);
          if (on) void navigate({ to: '/home' });
        }}
      >
        {t('settings:care.title')}
      </Toggle>
      <p className={styles.sample}>{t('settings:care.text')}</p>
    </section>
  );
}

function Writing() {
  const t = useT();
  const on = useStore(settings, (s) => s.enterSends);
  return (
    <section className={styles.section}>
      <h2>{t('settings:writing')}</h2>
      <div className={styles.line}>
        <span>{t('settings:send_key')}</span>
        <Choice
          label={t('settings:send_key')}
          value={on ? 'enter' : 'mod'}
          options={[
            { id: 'enter', label: 'Enter' },
            { id: 'mod', label: t('settings:send_keys.mod') },
          ]}
          onChange={(v) => settings.setState({ enterSends: v === 'enter' })}
        />
      </div>
      <p className={styles.sample}>{t(on ? 'settings:send_hint.enter' : 'settings:send_hint.mod')}</p>
    </section>
  );
}

/** The sheet of keys, for who does not know its key. */
function Keys() {
  const t = useT();
  const { commands } = usePlaces();
  const help = commands.find((c) => c.id === 'help');
  return help ? (
    <section className={styles.section}>
      <h2>{t('settings:keys')}</h2>
      <Button onPress={help.run}>{help.label(t)}</Button>
    </section>
  ) : null;
}

function SignOut() {
  const t = useT();
  const errorText = useErrorText();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const unsent = sessionLifecycle().unsent();
  const leave = async () => {
    try {
      await sessionLifecycle().end();
      await navigate({ to: '/sign-in', replace: true });
    } catch (error) {
      toast(errorText(asAppError(error)));
    }
  };
  return (
    <section className={styles.section}>
      <Button kind="danger" onPress={() => (unsent > 0 ? setAsking(true) : void leave())}>
        {t('settings:sign_out')}
      </Button>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => void leave()}
        title={t('settings:sign_out_title', { count: unsent })}
        confirm={t('settings:sign_out_anyway')}
      >
        {t('settings:sign_out_text')}
      </Confirm>
    </section>
  );
}

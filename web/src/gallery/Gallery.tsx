import { lazy, Suspense, useEffect } from 'react';
import { useStore } from 'zustand';
import { FONT_SIZES, type FontSize, type Language, settings, type Theme } from '~/core/settings';
import { LANGUAGES, setLanguage, useLocale, useT } from '~/i18n';
import { Choice } from '~/ui/Choice';
import { Select } from '~/ui/Select';
import { SkeletonTable } from '~/ui/Skeleton';
import { Buttons, Choices, Fields } from './Controls';
import { Floating } from './Floating';
import styles from './Gallery.module.css';
import { useWords } from './texts';

// Calendars, trees, tables and pictures are the heavy half of the kit.
const Dates = lazy(() => import('./Dates').then((m) => ({ default: m.Dates })));
const Lists = lazy(() => import('./Lists').then((m) => ({ default: m.Lists })));
const Pictures = lazy(() => import('./Pictures').then((m) => ({ default: m.Pictures })));

/** Every control in every state, for eyes and for tools that look. Theme, size and language go back on leaving. */
export function Gallery() {
  const w = useWords();
  useRestored();
  return (
    <main className={styles.page} id="content">
      <header className={styles.head}>
        <h1>{w.title}</h1>
        <p className={styles.lead}>{w.lead}</p>
        <Switches />
      </header>
      <Buttons />
      <Fields />
      <Choices />
      <Suspense fallback={<SkeletonTable />}>
        <Dates />
        <Lists />
      </Suspense>
      <Floating />
      <Suspense fallback={<SkeletonTable />}>
        <Pictures />
      </Suspense>
    </main>
  );
}

/** The device keeps what the person had set. */
function useRestored(): void {
  useEffect(() => {
    const { theme, fontSize, language } = settings.getState();
    return () => {
      settings.setState({ theme, fontSize });
      if (settings.getState().language !== language) void setLanguage(language ?? 'zh-CN');
    };
  }, []);
}

function Switches() {
  const t = useT();
  const w = useWords();
  const { theme, fontSize } = useStore(settings);
  const themes: { id: Theme; label: string }[] = [
    { id: 'system', label: t('settings:themes.system') },
    { id: 'light', label: t('settings:themes.light') },
    { id: 'dark', label: t('settings:themes.dark') },
    { id: 'contrast', label: t('settings:themes.contrast') },
  ];
  return (
    <div className={styles.row}>
      <Choice label={w.theme} value={theme} options={themes} onChange={(v) => settings.setState({ theme: v })} />
      <Select
        label={w.size}
        value={String(fontSize)}
        options={FONT_SIZES.map((n) => ({ id: String(n), label: `${n} px` }))}
        onChange={(v) => settings.setState({ fontSize: Number(v) as FontSize })}
      />
      <Choice
        label={w.language}
        value={useLocale()}
        options={LANGUAGES}
        onChange={(v: Language) => void setLanguage(v)}
      />
    </div>
  );
}

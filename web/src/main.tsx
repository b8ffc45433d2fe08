import './core/older';
import './app/tokens.css';
import './app/base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { I18nProvider } from 'react-aria-components/I18nProvider';
import { createRoot } from 'react-dom/client';
import { queries } from './app/queries';
import { router } from './app/router';
import { boot } from './app/session';
import { startTheme } from './app/theme';
import { missingFile, watchForUpdates } from './app/update';
import { startPwa } from './core/pwa';
import { allTexts, startI18n, useLocale } from './i18n';

// A file of this build is gone or did not come. The screen says so; a new build is the one thing a reload mends.
window.addEventListener('vite:preloadError', () => void missingFile());

/** The locale of the component library, which has one Traditional Chinese. */
const CONTROLS = { 'zh-CN': 'zh-CN', 'zh-TW': 'zh-TW', 'zh-HK': 'zh-TW', en: 'en-US' } as const;

function App() {
  const locale = useLocale();
  return (
    <I18nProvider locale={CONTROLS[locale]}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </I18nProvider>
  );
}

async function start(): Promise<void> {
  startTheme();
  await Promise.all([startI18n(), boot()]);
  const element = document.getElementById('root');
  if (!element) return;
  createRoot(element).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  void startPwa((path) => void router.navigate({ to: path }));
  void import('./app/icon').then((m) => m.startIcon()).catch(() => undefined);
  watchForUpdates();
  // The texts of the other screens, while nobody waits for them.
  allTexts().catch(() => undefined);
}

void start();

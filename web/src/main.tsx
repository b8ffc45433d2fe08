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
import { startPwa } from './core/pwa';
import { startI18n, useLocale } from './i18n';

const RELOADED = 'magpie:reloaded';

// A new release has replaced the files this page was built with: one reload, guarded, brings the new ones.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < 60_000) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
});

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
  void startPwa();
}

void start();

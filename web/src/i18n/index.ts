import i18next from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';
import type { AppError } from '~/api/client';
import { type Language, settings } from '~/core/settings';
import type zhCN from './zh-CN';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: typeof zhCN;
  }
}

const NAMESPACES = ['common', 'errors', 'identity', 'directory', 'chat', 'onboarding', 'settings', 'ui'] as const;

const bundles: Record<Language, () => Promise<{ default: Record<string, object> }>> = {
  'zh-CN': () => import('./zh-CN'),
  en: () => import('./en'),
};

/** The person's choice, else what the browser asks for, else Chinese. */
export function chosenLanguage(): Language {
  const set = settings.getState().language;
  if (set) return set;
  const asked = navigator.languages?.find((l) => l.startsWith('zh') || l.startsWith('en'));
  return asked?.startsWith('en') ? 'en' : 'zh-CN';
}

async function load(language: Language): Promise<void> {
  const { default: texts } = await bundles[language]();
  for (const [ns, keys] of Object.entries(texts)) i18next.addResourceBundle(language, ns, keys, true, true);
}

export async function startI18n(): Promise<void> {
  const language = chosenLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    ns: NAMESPACES,
    defaultNS: 'common',
    resources: {},
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function setLanguage(language: Language): Promise<void> {
  await load(language);
  settings.setState({ language });
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

/** Texts by their full key, `namespace:path`. Written in full so that unused and missing keys are found. */
export function useT() {
  return useTranslation(NAMESPACES).t;
}

/** The locale for `Intl`, which follows the language of the texts. */
export function useLocale(): Language {
  return useTranslation().i18n.language as Language;
}

/** What went wrong, in the person's words; a code without words shows the number of the request to ask about. */
export function useErrorText(): (error: AppError) => string {
  const t = useT();
  return (error) => {
    const key = `errors:${error.code}`;
    if (i18next.exists(key)) return String(t(key as 'errors:internal', error.context));
    return error.requestId ? t('errors:unknown_with_id', { id: error.requestId }) : t('errors:unknown');
  };
}

export { i18next };

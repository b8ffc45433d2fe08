import i18next, { type TFunction } from 'i18next';
import { useCallback } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { AppError } from '~/api/client';
import { type Language, settings } from '~/core/settings';
import { negotiate } from './languages';
import type zhCN from './zh-CN';
import type zhCNRest from './zh-CN.rest';

export { LANGUAGES } from './languages';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: typeof zhCN & typeof zhCNRest;
  }
}

const NAMESPACES = [
  'common',
  'errors',
  'admin',
  'identity',
  'directory',
  'guests',
  'chat',
  'files',
  'notify',
  'onboarding',
  'scan',
  'search',
  'settings',
  'ui',
  'waiting',
  'workbench',
] as const;

type Bundle = () => Promise<{ default: Record<string, object> }>;

/** What the first paint needs, and what may come a moment later. */
const bundles: Record<Language, { first: Bundle; rest: Bundle }> = {
  'zh-CN': { first: () => import('./zh-CN'), rest: () => import('./zh-CN.rest') },
  'zh-TW': { first: () => import('./zh-TW'), rest: () => import('./zh-TW.rest') },
  'zh-HK': { first: () => import('./zh-HK'), rest: () => import('./zh-HK.rest') },
  en: { first: () => import('./en'), rest: () => import('./en.rest') },
};

/** The person's choice, else what the browser asks for, else Chinese. */
export function chosenLanguage(): Language {
  return settings.getState().language ?? negotiate(navigator.languages ?? []);
}

async function load(language: Language, part: 'first' | 'rest'): Promise<void> {
  const { default: texts } = await bundles[language][part]();
  for (const [ns, keys] of Object.entries(texts)) i18next.addResourceBundle(language, ns, keys, true, true);
  // Texts that come after the first paint reach what is drawn already.
  if (language === i18next.language) speak();
}

type T = TFunction<typeof NAMESPACES>;

/** What every drawn text hangs on: another `t` for each language, and when more texts are there. */
const spoken = createStore<{ language: Language; t: T }>(() => ({ language: 'zh-CN', t: i18next.t as unknown as T }));

function speak(): void {
  const language = i18next.language as Language;
  spoken.setState({ language, t: remembering(i18next.getFixedT(language, NAMESPACES)) });
}

/** A hundred rows ask for the same few words: what has no values in it is looked up once. */
function remembering(t: T): T {
  const plain = new Map<string, string>();
  const ask = t as unknown as (key: string, values?: object) => string;
  return ((key: string, values?: object) => {
    if (values !== undefined) return ask(key, values);
    const known = plain.get(key);
    if (known !== undefined) return known;
    const text = ask(key);
    plain.set(key, text);
    return text;
  }) as unknown as T;
}

const rest = new Map<Language, Promise<void>>();

/** Resolves once every text of the language in use is there; whoever draws a screen of its own waits for it. */
export function allTexts(language = i18next.language as Language): Promise<void> {
  let loading = rest.get(language);
  if (!loading) {
    loading = load(language, 'rest');
    rest.set(language, loading);
    // Not there because there was no network: the next one who asks tries again.
    loading.catch(() => rest.delete(language));
  }
  return loading;
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** First strong isolate around what holds letters from right to left; all else stays as it is. */
const isolate = (value: string): string => (RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value);

export async function startI18n(): Promise<void> {
  const language = chosenLanguage();
  await i18next.init({
    lng: language,
    fallbackLng: false,
    ns: NAMESPACES,
    defaultNS: 'common',
    resources: {},
    // React escapes; here names written from right to left are kept from turning the words around them.
    interpolation: { escapeValue: true, escape: isolate },
  });
  await load(language, 'first');
  await i18next.changeLanguage(language);
  speak();
  document.documentElement.lang = language;
}

export async function setLanguage(language: Language): Promise<void> {
  await Promise.all([load(language, 'first'), allTexts(language)]);
  settings.setState({ language });
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
  speak();
}

/**
 * Texts by their full key, `namespace:path`. Written in full so that unused and missing keys are found. One subscription
 * and nothing else: opening a conversation calls this some hundred times.
 */
export function useT(): T {
  return useStore(spoken, (s) => s.t);
}

/** The locale for `Intl`, which follows the language of the texts. */
export function useLocale(): Language {
  return useStore(spoken, (s) => s.language);
}

/** What went wrong, in the person's words; a code without words shows the number of the request to ask about. */
export function useErrorText(): (error: AppError) => string {
  const t = useT();
  return useCallback(
    (error) => {
      const key = `errors:${error.code}`;
      if (i18next.exists(key)) return String(t(key as 'errors:internal', error.context));
      return error.requestId ? t('errors:unknown_with_id', { id: error.requestId }) : t('errors:unknown');
    },
    [t],
  );
}

export { i18next };

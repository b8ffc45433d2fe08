/**
 * The texts of the visitor page. The same files, keys and languages as everywhere (`visitor:`, `errors:`), read by a
 * function of a few lines: this page has no plurals and must weigh little.
 */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { AppError } from '~/api/client';
import { type Language, settings } from '~/core/settings';
import { negotiate } from '~/i18n/languages';
import type texts from './texts/zh-CN';

type Texts = typeof texts;
type Paths<T> = { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Paths<T[K]>}` }[keyof T & string];
type VisitorKey = `visitor:${Paths<Texts['visitor']>}`;
type Values = Record<string, string | number>;

const bundles: Record<Language, () => Promise<{ default: Texts }>> = {
  'zh-CN': () => import('./texts/zh-CN'),
  'zh-TW': () => import('./texts/zh-TW'),
  'zh-HK': () => import('./texts/zh-HK'),
  en: () => import('./texts/en'),
};

const spoken = createStore<{ language: Language; texts: Texts | undefined }>(() => ({
  language: 'zh-CN',
  texts: undefined,
}));

/** The person's choice on this device, else what the browser asks for. */
export async function startTexts(): Promise<void> {
  await speak(settings.getState().language ?? negotiate(navigator.languages ?? []));
}

async function speak(language: Language): Promise<void> {
  const { default: texts } = await bundles[language]();
  document.documentElement.lang = language;
  spoken.setState({ language, texts });
}

export async function setLanguage(language: Language): Promise<void> {
  await speak(language);
  settings.setState({ language });
}

function find(texts: Texts | undefined, ns: keyof Texts, path: string): string | undefined {
  const found = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], texts?.[ns]);
  return typeof found === 'string' ? found : undefined;
}

const fill = (text: string, values: Values = {}) =>
  text.replace(/{{\s*(\w+)\s*}}/g, (_, name: string) => String(values[name] ?? ''));

export type T = (key: VisitorKey, values?: Values) => string;

export function useT(): T {
  const texts = useStore(spoken, (s) => s.texts);
  return (key, values) => fill(find(texts, 'visitor', key.slice('visitor:'.length)) ?? key, values);
}

export function useLanguage(): Language {
  return useStore(spoken, (s) => s.language);
}

/** What went wrong, in the person's words. */
export function useErrorText(): (error: AppError) => string {
  const texts = useStore(spoken, (s) => s.texts);
  return (error) => {
    const known = find(texts, 'errors', error.code);
    if (known) return fill(known, error.context as Values);
    const id = error.requestId;
    return fill(find(texts, 'errors', id ? 'unknown_with_id' : 'unknown') ?? error.code, { id: id ?? '' });
  };
}

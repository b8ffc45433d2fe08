/**
 * The texts of the visitor page. The same files, keys and languages as everywhere (`visitor:`, `errors:`), read by a
 * function of a few lines: this page has no plurals and must weigh little.
 */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { AppError } from '~/api/client';
import { type Language, settings } from '~/core/settings';
import { negotiate } from '~/i18n/languages';
import type files from './texts/files.zh-CN';
import type texts from './texts/zh-CN';

type Texts = typeof texts;
type FileTexts = typeof files;
type Paths<T> = { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Paths<T[K]>}` }[keyof T & string];
export type TextKey = `visitor:${Paths<Texts['visitor']>}` | `files:${Paths<FileTexts>}`;
type Values = Record<string, string | number>;

const bundles: Record<Language, () => Promise<{ default: Texts }>> = {
  'zh-CN': () => import('./texts/zh-CN'),
  'zh-TW': () => import('./texts/zh-TW'),
  'zh-HK': () => import('./texts/zh-HK'),
  en: () => import('./texts/en'),
};

const filesIn: Record<Language, () => Promise<{ default: FileTexts }>> = {
  'zh-CN': () => import('./texts/files.zh-CN'),
  'zh-TW': () => import('./texts/files.zh-TW'),
  'zh-HK': () => import('./texts/files.zh-HK'),
  en: () => import('./texts/files.en'),
};

interface Spoken {
  language: Language;
  texts: Partial<Texts & { files: FileTexts }> | undefined;
}

const spoken = createStore<Spoken>(() => ({ language: 'zh-CN', texts: undefined }));

/** The person's choice on this device, else what the browser asks for. */
export async function startTexts(): Promise<void> {
  await speak(settings.getState().language ?? negotiate(navigator.languages ?? []));
}

async function speak(language: Language): Promise<void> {
  const withFiles = spoken.getState().texts?.files !== undefined;
  const [{ default: texts }, files] = await Promise.all([
    bundles[language](),
    withFiles ? filesIn[language]() : undefined,
  ]);
  document.documentElement.lang = language;
  spoken.setState({ language, texts: { ...texts, ...(files ? { files: files.default } : {}) } });
}

/** The words for files too, from now on in whatever language is spoken. */
export async function fileTexts(): Promise<void> {
  const { language } = spoken.getState();
  const { default: files } = await filesIn[language]();
  const now = spoken.getState();
  if (now.language !== language) return fileTexts();
  spoken.setState({ texts: { ...now.texts, files } });
}

export async function setLanguage(language: Language): Promise<void> {
  await speak(language);
  settings.setState({ language });
}

function find(texts: Spoken['texts'], ns: 'visitor' | 'errors' | 'files', path: string): string | undefined {
  const found = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], texts?.[ns]);
  return typeof found === 'string' ? found : undefined;
}

const fill = (text: string, values: Values = {}) =>
  text.replace(/{{\s*(\w+)\s*}}/g, (_, name: string) => String(values[name] ?? ''));

export type T = (key: TextKey, values?: Values) => string;

export function useT(): T {
  const texts = useStore(spoken, (s) => s.texts);
  return (key, values) => {
    const [ns, path] = key.split(':') as ['visitor' | 'files', string];
    return fill(find(texts, ns, path) ?? key, values);
  };
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

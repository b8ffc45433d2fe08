/** Which languages there are, by their own names, and which one a browser asks for. */
import type { Language } from '~/core/settings';

export const LANGUAGES: readonly { id: Language; label: string }[] = [
  { id: 'zh-CN', label: '简体中文' },
  { id: 'zh-TW', label: '繁體中文（台灣）' },
  { id: 'zh-HK', label: '繁體中文（香港）' },
  { id: 'en', label: 'English' },
];

/** One tag (RFC 5646) in our languages: region before script, as people of Macau read what Hong Kong writes. */
function ours(tag: string): Language | undefined {
  const [language, ...parts] = tag.toLowerCase().split('-');
  if (language === 'en') return 'en';
  if (language === 'yue') return parts.includes('hans') || parts.includes('cn') ? 'zh-CN' : 'zh-HK';
  if (language !== 'zh') return undefined;
  if (parts.includes('hans')) return 'zh-CN';
  if (parts.includes('hk') || parts.includes('mo')) return 'zh-HK';
  return parts.includes('tw') || parts.includes('hant') ? 'zh-TW' : 'zh-CN';
}

/** The first of what the browser asks for that there is; Chinese for everybody else. */
export function negotiate(asked: readonly string[]): Language {
  for (const tag of asked) {
    const found = ours(tag);
    if (found) return found;
  }
  return 'zh-CN';
}

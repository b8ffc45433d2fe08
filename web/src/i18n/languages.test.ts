import { expect, it } from 'vitest';
import { negotiate } from './languages';

it('gives the first language asked for that there is', () => {
  expect(negotiate(['fr-FR', 'en-GB', 'zh-CN'])).toBe('en');
  expect(negotiate(['ja', 'zh-TW', 'en'])).toBe('zh-TW');
  expect(negotiate(['de'])).toBe('zh-CN');
  expect(negotiate([])).toBe('zh-CN');
});

it('tells the ways of writing Chinese apart by script and region', () => {
  const cases = {
    zh: 'zh-CN',
    'zh-SG': 'zh-CN',
    'zh-Hans-HK': 'zh-CN',
    'zh-Hant': 'zh-TW',
    'zh-Hant-TW': 'zh-TW',
    'zh-Hant-HK': 'zh-HK',
    'zh-MO': 'zh-HK',
    'yue-HK': 'zh-HK',
  };
  for (const [tag, language] of Object.entries(cases)) expect(negotiate([tag]), tag).toBe(language);
});

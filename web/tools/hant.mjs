/**
 * Traditional Chinese from the Simplified texts: OpenCC, under an own list of words that it does not know or says
 * otherwise. `node tools/hant.mjs` writes the files, `--check` tells which are out of date. They are not edited by hand:
 * what reads wrong gets a line in hant.words.json.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Converter } from 'opencc-js/cn2t';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const WORDS = JSON.parse(readFileSync(new URL('hant.words.json', import.meta.url), 'utf8'));
/** OpenCC's own words of Taiwan; of Hong Kong only the characters, the words are in the list. */
const VARIANTS = { 'zh-TW': 'twp', 'zh-HK': 'hk' };

/** Words of the list go through OpenCC as characters that it leaves alone. */
const PRIVATE = 0xe000;

function converter(language) {
  const convert = Converter({ from: 'cn', to: VARIANTS[language] });
  const list = Object.entries({ ...WORDS.both, ...WORDS[language] });
  const words = list.map(([word]) => word);
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.join('|'), 'g');
  return (text) =>
    convert(text.replace(pattern, (word) => String.fromCodePoint(PRIVATE + words.indexOf(word)))).replace(
      /[\ue000-\uf8ff]/g,
      (mark) => list[mark.codePointAt(0) - PRIVATE][1],
    );
}

const deep = (value, convert) =>
  typeof value === 'string'
    ? convert(value)
    : Object.fromEntries(Object.entries(value).map(([key, v]) => [key, deep(v, convert)]));

/** Every text of the source language, and what puts them together, by its place under src. */
function sources() {
  const features = readdirSync(join(SRC, 'features')).map((name) => `features/${name}/locales/zh-CN.json`);
  const common = readdirSync(join(SRC, 'i18n/locales/zh-CN')).map((name) => `i18n/locales/zh-CN/${name}`);
  const bundles = readdirSync(join(SRC, 'i18n'))
    .filter((name) => name.startsWith('zh-CN'))
    .map((name) => `i18n/${name}`);
  const visitor = ['visitor/locales/zh-CN.json', 'visitor/texts/zh-CN.ts', 'visitor/texts/files.zh-CN.ts'];
  return [...features, ...common, ...bundles, ...visitor];
}

function read(path) {
  try {
    return readFileSync(join(SRC, path), 'utf8');
  } catch {
    return undefined;
  }
}

/** The files as they should be, by their place under src. */
export function generate() {
  const files = new Map();
  for (const language of Object.keys(VARIANTS)) {
    const convert = converter(language);
    for (const path of sources()) {
      const text = read(path);
      if (text === undefined) continue;
      const made = path.endsWith('.json')
        ? `${JSON.stringify(deep(JSON.parse(text), convert), null, 2)}\n`
        : `// Made by tools/hant.mjs.\n${text.replaceAll('zh-CN', language)}`;
      files.set(path.replaceAll('zh-CN', language), made);
    }
  }
  return files;
}

/** Those that are not as they should be. */
export function outdated() {
  return [...generate()].filter(([path, text]) => read(path) !== text).map(([path]) => path);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--check')) {
    const old = outdated();
    for (const path of old) console.error(`hant: ${path} is out of date, run npm run texts`);
    process.exit(old.length > 0 ? 1 : 0);
  }
  for (const [path, text] of generate()) {
    mkdirSync(dirname(join(SRC, path)), { recursive: true });
    if (read(path) !== text) writeFileSync(join(SRC, path), text);
  }
}

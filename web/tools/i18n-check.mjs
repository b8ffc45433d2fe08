/** Texts: the same keys and placeholders in every language, none missing, none unused, a text for each error code. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { outdated } from './hant.mjs';

const SRC = new URL('../src/', import.meta.url).pathname;
const LANGUAGES = ['zh-CN', 'en', 'zh-TW', 'zh-HK'];
/** Keys put together at run time, by their beginning. */
const DYNAMIC = [
  'errors:',
  'admin:check.',
  'admin:seen.',
  'admin:fix.',
  'admin:state.',
  'notify:about.',
  'notify:fault.',
  'notify:how.',
  'notify:kind.',
  'notify:no_',
  'notify:shows.',
  'directory:role.',
  'directory:role_text.',
  'directory:acts.',
  'directory:settings.shows_of.',
  'directory:accounts.bad.',
  'directory:recovery.state.',
  'directory:profile.relation.',
  'identity:acts.',
  'identity:merge.state.',
  'identity:notices.kinds.',
  'common:connection.',
  'common:keys.',
  'settings:notify.state.',
  'common:online',
  'common:offline',
];
const failures = [];

function walk(dir) {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
}

function flatten(value, prefix = '') {
  return Object.entries(value).flatMap(([key, v]) =>
    typeof v === 'string' ? [[prefix + key, v]] : flatten(v, `${prefix}${key}.`),
  );
}

function texts(language) {
  const files = {};
  for (const ns of readdirSync(join(SRC, 'features'))) {
    files[ns] = join(SRC, 'features', ns, 'locales', `${language}.json`);
  }
  files.visitor = join(SRC, 'visitor/locales', `${language}.json`);
  for (const file of readdirSync(join(SRC, 'i18n/locales', language))) {
    files[basename(file, '.json')] = join(SRC, 'i18n/locales', language, file);
  }
  const all = new Map();
  for (const [ns, file] of Object.entries(files)) {
    if (!existsSync(file)) {
      failures.push(`${file} is missing`);
      continue;
    }
    for (const [key, text] of flatten(JSON.parse(readFileSync(file, 'utf8')))) all.set(`${ns}:${key}`, text);
  }
  return all;
}

const placeholders = (text) =>
  [...text.matchAll(/{{\s*(\w+)\s*}}/g)]
    .map((m) => m[1])
    .sort()
    .join();
const base = (key) => key.replace(/_(one|other)$/, '');

const [first, ...others] = LANGUAGES.map((language) => ({ language, texts: texts(language) }));
for (const { language, texts: other } of others) {
  for (const [key, text] of first.texts) {
    if (!other.has(key)) failures.push(`${language} lacks ${key}`);
    else if (placeholders(text) !== placeholders(other.get(key)))
      failures.push(`${language} ${key}: other placeholders`);
  }
  for (const key of other.keys()) if (!first.texts.has(key)) failures.push(`${first.language} lacks ${key}`);
}

const known = new Set([...first.texts.keys()].map(base));
const used = new Set();
for (const file of walk(SRC).filter((f) => /\.tsx?$/.test(f))) {
  for (const [, key] of readFileSync(file, 'utf8').matchAll(/['"`]([a-z]+:[a-z][\w]*(?:\.\w+)*)['"`]/g)) {
    if (!known.has(key) && [...known].some((k) => k.split(':')[0] === key.split(':')[0])) {
      failures.push(`${file.slice(SRC.length)} uses ${key}, which no language has`);
    }
    used.add(key);
  }
}
for (const key of known) {
  if (!used.has(key) && !DYNAMIC.some((prefix) => key.startsWith(prefix))) failures.push(`${key} is not used`);
}

// The server's table of error codes, where this checkout has it.
const table = new URL('../../crates/proto/src/error.rs', import.meta.url).pathname;
if (existsSync(table)) {
  for (const [, code] of readFileSync(table, 'utf8').matchAll(/^\s+\w+ = "(\w+)", \d{3}, /gm)) {
    if (!known.has(`errors:${code}`)) failures.push(`no text for the error code ${code}`);
  }
}

for (const path of outdated()) failures.push(`${path} is out of date, run \`npm run texts\``);

for (const failure of failures) console.error(`i18n: ${failure}`);
console.log(`i18n ${known.size} keys in ${LANGUAGES.length} languages`);
process.exit(failures.length > 0 ? 1 : 0);

/**
 * What a first visit downloads, gzipped, from Vite's manifest: the shell (entry, what it imports, its styles, one language)
 * and each lazy route; and the visitor page, which somebody opens once. Also looks for what the content security policy
 * would refuse.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = new URL('../dist/', import.meta.url).pathname;
const SHELL_KB = 220;
const ROUTE_KB = 150;
const VISITOR_KB = 100;

const read = (name) => JSON.parse(readFileSync(join(DIST, '.vite', name), 'utf8'));
let manifest;
let visitor;
try {
  manifest = read('manifest.json');
  visitor = read('visitor.json');
} catch {
  console.error('budget: no dist, run `npm run build` first');
  process.exit(1);
}

const gz = (file) => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;

/** Every file that comes with a chunk. */
function filesOf(key, seen = new Set(), chunks = manifest) {
  const chunk = chunks[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const next of chunk.imports ?? []) filesOf(next, seen, chunks);
  return seen;
}

const kb = (bytes) => (bytes / 1024).toFixed(1);
const sum = (files) => [...files].reduce((total, file) => total + gz(file), 0);
const failures = [];

const shell = filesOf('index.html');
filesOf('src/i18n/zh-CN.ts', shell);
const shellBytes = sum(shell);
console.log(`shell ${kb(shellBytes)} KB gz of ${SHELL_KB}`);
if (shellBytes > SHELL_KB * 1024) failures.push(`the shell has ${kb(shellBytes)} KB gz, its budget is ${SHELL_KB}`);

const LANGUAGES = ['zh-CN', 'zh-TW', 'zh-HK', 'en'];
const visitorBytes = Math.max(
  ...LANGUAGES.map((language) =>
    sum(filesOf(`src/visitor/texts/${language}.ts`, filesOf('visitor.html', undefined, visitor), visitor)),
  ),
);
console.log(`visitor ${kb(visitorBytes)} KB gz of ${VISITOR_KB}`);
if (!(visitorBytes > 10_000)) failures.push('the visitor page was not found');
if (visitorBytes >= VISITOR_KB * 1024)
  failures.push(`the visitor page has ${kb(visitorBytes)} KB gz, its budget is ${VISITOR_KB}`);

// The gallery holds every control there is, and nobody is led to it.
const routes = Object.keys(manifest).filter((k) => manifest[k].isDynamicEntry && !k.startsWith('src/gallery/'));
for (const key of routes) {
  const extra = [...filesOf(key)].filter((file) => !shell.has(file));
  const bytes = sum(extra);
  if (bytes > ROUTE_KB * 1024) failures.push(`${key} adds ${kb(bytes)} KB gz, its budget is ${ROUTE_KB}`);
}

const assets = readdirSync(join(DIST, 'assets'), { recursive: true }).filter((file) => /\.(js|css)$/.test(file));
for (const file of assets) {
  const text = readFileSync(join(DIST, 'assets', file), 'utf8');
  // The component library carries its words in thirty languages unless the build leaves them out.
  if (file.endsWith('.js') && /[\u3040-\u30ff]/.test(text))
    failures.push(`${file} holds texts in languages nobody chose`);
}
for (const page of ['index.html', 'visitor.html']) {
  const html = readFileSync(join(DIST, page), 'utf8');
  if (/<style|<script(?![^>]*\bsrc=)|\son\w+=/.test(html)) failures.push(`${page} holds inline script or style`);
}

for (const failure of failures) console.error(`budget: ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);

/**
 * Nothing in dist that Chrome 90 or Safari 15 cannot read: one unknown piece of syntax stops a whole script, one unknown
 * function its declaration, one unknown selector its rule. What they would only pass over without harm may stand.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'lightningcss';
import { parseAst } from 'vite';

const DIST = new URL('../dist/', import.meta.url).pathname;
if (!existsSync(DIST)) {
  console.error('old browsers: no dist, run `npm run build` first');
  process.exit(1);
}

/** Pieces of a stylesheet, and since when they are known. `light-dark` is compiled to variables of its own. */
const STYLE = [
  [/[:\s,(]light-dark\(/, 'light-dark(), Chrome 123'],
  [/\bokl(ch|ab)\(/, 'oklch() and oklab(), Chrome 111'],
  [/\bcolor-mix\(/, 'color-mix(), Chrome 111'],
  [/:has\(/, ':has(), Chrome 105'],
  [/@layer\b/, '@layer, Chrome 99'],
  [/@container\b/, '@container, Chrome 105'],
  [/@scope\b/, '@scope, Chrome 118'],
];

function faultsOfStyle(text) {
  const faults = STYLE.filter(([pattern]) => pattern.test(text)).map(([, what]) => what);
  transform({
    filename: 'x.css',
    code: Buffer.from(text),
    visitor: {
      Rule: {
        style(rule) {
          if ((rule.value.rules ?? []).length > 0) faults.push('nested rules, Chrome 112');
        },
      },
    },
  });
  return [...faults, ...unitsAlone(text)];
}

const ASKED_FIRST = /@supports[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g;

/** The new units of the viewport need the old one before them, or a browser that says it knows them. */
function unitsAlone(style) {
  const text = style.replace(ASKED_FIRST, '');
  return [...text.matchAll(/(?<=[{;])([\w-]+):[^;{}]*\d[dsl]v[hw]\b[^;{}]*/g)]
    .filter(({ 1: property, index }) => {
      const before = text.slice(text.lastIndexOf('{', index) + 1, index);
      return !before.split(';').some((declaration) => declaration.startsWith(`${property}:`));
    })
    .map(([declaration]) => `${declaration} without an older unit before it, Chrome 108`);
}

const LOOKBEHIND = /\(\?<[=!]/;
const SYNTAX = {
  StaticBlock: () => 'a static block, Chrome 94',
  BinaryExpression: (n) => n.operator === 'in' && n.left.type === 'PrivateIdentifier' && '#x in y, Chrome 91',
  VariableDeclaration: (n) => /using/.test(n.kind) && 'using',
  ImportDeclaration: (n) => n.attributes?.length > 0 && 'import attributes, Chrome 123',
  Decorator: () => 'a decorator',
  Literal: (n) => {
    if (typeof n.value === 'string' && LOOKBEHIND.test(n.value)) return 'a look-behind in a text, Safari 16.4';
    if (!n.regex) return undefined;
    if (n.regex.flags.includes('v')) return 'a regular expression with the flag v, Chrome 112';
    return LOOKBEHIND.test(n.regex.pattern) && 'a regular expression that looks behind, Safari 16.4';
  },
  // Where there is a way around, it is asked for first: `structuredClone?.(x)` or `if (Object.hasOwn)`.
  CallExpression: (n) =>
    !n.optional &&
    n.callee.type === 'MemberExpression' &&
    !n.callee.computed &&
    METHODS.get(n.callee.property.name)?.(n),
};

const METHODS = new Map([
  // .at() and .findLast() have stand-ins: src/core/older.ts.
  ['findLastIndex', () => '.findLastIndex(), Chrome 97'],
  ['toSorted', () => '.toSorted(), Chrome 110'],
  ['toReversed', () => '.toReversed(), Chrome 110'],
  ['toSpliced', () => '.toSpliced(), Chrome 110'],
  ['hasOwn', () => 'Object.hasOwn(), Chrome 93'],
  ['withResolvers', () => 'Promise.withResolvers(), Chrome 119'],
  ['groupBy', (n) => n.callee.object.name === 'Object' && 'Object.groupBy(), Chrome 117'],
  ['randomUUID', () => 'crypto.randomUUID(), Chrome 92'],
]);

/** pdf.js has stand-ins of its own, src/ui/pdf/older.ts, and asks for what it can do without. */
const PDF = /^assets\/(visitor\/)?(pdfjs|pdf\.worker)-/;
const STOOD_IN = /^(Object\.hasOwn|Promise\.withResolvers|\.toSpliced|crypto\.randomUUID)\(\)/;

function faultsOfScript(text) {
  const faults = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (!node || typeof node.type !== 'string') return;
    const fault = Object.hasOwn(SYNTAX, node.type) && SYNTAX[node.type](node);
    if (fault) faults.push(`${fault}: ${text.slice(Math.max(0, node.start - 20), node.end).slice(0, 90)}`);
    for (const [key, value] of Object.entries(node)) if (key !== 'type' && typeof value === 'object') visit(value);
  };
  visit(parseAst(text));
  return faults;
}

/** Looks at texts that break each rule, so that a rule that never finds anything is noticed. */
function selfTest() {
  const bad = ['a{color:light-dark(#000,#fff)}', 'a{b{color:red}}', 'a:has(b){color:red}', 'a{height:100dvh}'];
  for (const style of bad) if (faultsOfStyle(style).length === 0) throw new Error(`not found: ${style}`);
  if (faultsOfStyle('a{height:100vh;height:100dvh}').length > 0) throw new Error('an older unit stands before it');
  const scripts = [
    'class A{static{b()}}',
    'class A{#b;c(d){return #b in d}}',
    '/(?<=a)b/.test(c)',
    '[].findLastIndex(a)',
    '/[a--b]/v',
  ];
  for (const script of scripts) if (faultsOfScript(script).length === 0) throw new Error(`not found: ${script}`);
  if (faultsOfScript('/(?<a>b)/.test(c?.d ?? e);f.at?.(1)').length > 0) throw new Error('found what is known');
}

selfTest();
let count = 0;
const files = readdirSync(DIST, { recursive: true }).filter((file) => /\.(js|css)$/.test(file));
for (const file of files) {
  const text = readFileSync(join(DIST, file), 'utf8');
  for (const fault of file.endsWith('.css') ? faultsOfStyle(text) : faultsOfScript(text)) {
    if (PDF.test(file) && STOOD_IN.test(fault)) continue;
    console.error(`old browsers: ${file} holds ${fault}`);
    count += 1;
  }
}
console.log(`old browsers ${files.length} files, ${count} faults`);
process.exit(count > 0 ? 1 : 0);

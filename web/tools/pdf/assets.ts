/**
 * What pdf.js reads while it runs, beside its code: maps of characters for Chinese, Japanese and Korean, the fourteen
 * fonts every reader has, and decoders for two rare kinds of picture. They come from our own origin, under an address that
 * names the version, so a browser keeps them for good.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

export const PACKAGE = fileURLToPath(new URL('./node_modules/pdfjs-dist', import.meta.url));

/** Folders of the package, and which of their files are wanted. No WebAssembly: the content security policy allows none. */
const WANTED: readonly [folder: string, files: RegExp][] = [
  ['cmaps', /./],
  ['standard_fonts', /./],
  ['iccs', /./],
  ['wasm', /_nowasm_fallback\.js$|^LICENSE_(PDFJS_)?(JBIG2|OPENJPEG)$/],
];

function version(): string {
  return JSON.parse(readFileSync(`${PACKAGE}/package.json`, 'utf8')).version;
}

export const pdfBase = (): string => `assets/pdf-${version()}/`;

/** Where it begins to offer all of itself to pages that load it as it stands, which keeps every part of it in a bundle. */
const OFFER = 'globalThis.pdfjsLib = {';
const CLASS = /^class (\w+)( extends \w+)? \{\n[\s\S]*?^\}$/gm;

/** Marks its classes as what nothing else depends on, so that those nobody uses (editors, forms, notes) are left out. */
function lighter(code: string): string {
  const from = code.lastIndexOf(OFFER);
  const to = code.indexOf('};', from);
  let count = 0;
  const marked = (code.slice(0, from) + code.slice(to + 2)).replace(CLASS, (all, name) => {
    count += 1;
    return `const ${name} = /*#__PURE__*/ (() => ${all})();`;
  });
  if (from < 0 || to < 0 || count < 100)
    throw new Error('pdf.js looks otherwise than expected: see tools/pdf/assets.ts');
  return marked;
}

export function pdfAssets(): Plugin {
  return {
    name: 'pdf-assets',
    transform(code, id) {
      if (!id.startsWith(PACKAGE) || !id.endsWith('/build/pdf.mjs')) return undefined;
      return { code: lighter(code), map: null };
    },
    generateBundle() {
      for (const [folder, files] of WANTED) {
        for (const file of readdirSync(`${PACKAGE}/${folder}`).filter((name) => files.test(name))) {
          this.emitFile({
            type: 'asset',
            fileName: `${pdfBase()}${folder}/${file}`,
            source: readFileSync(`${PACKAGE}/${folder}/${file}`),
          });
        }
      }
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? '').split('?')[0]?.slice(1) ?? '';
        if (!path.startsWith(pdfBase()) || path.includes('..')) return next();
        response.setHeader('Content-Type', path.endsWith('.js') ? 'text/javascript' : 'application/octet-stream');
        response.end(readFileSync(`${PACKAGE}/${path.slice(pdfBase().length)}`));
      });
    },
  };
}

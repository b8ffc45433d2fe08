/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import optimizeLocales from '@react-aria/optimize-locales-plugin';
import react from '@vitejs/plugin-react';
import browserslist from 'browserslist';
import { browserslistToTargets } from 'lightningcss';
import { build, defineConfig, type Plugin, type UserConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { PACKAGE, pdfAssets, pdfBase } from './tools/pdf/assets.ts';

const server = 'http://127.0.0.1:8080';

/** What both pages are built by. */
const shared: UserConfig = {
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)), 'pdfjs-dist': PACKAGE } },
  define: { __PDF_BASE__: JSON.stringify(`/${pdfBase()}`) },
  worker: { format: 'es' },
  css: {
    transformer: 'lightningcss',
    lightningcss: { targets: browserslistToTargets(browserslist(['chrome 90', 'safari 15', 'ios_saf 15'])) },
  },
  build: {
    target: ['chrome90', 'safari15'],
    cssMinify: 'lightningcss',
    manifest: true,
    // Inlined assets would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
};

/**
 * The page of those who were only sent a link, built after the app and apart from it: it is opened once, so what it shares
 * with the app is not kept by any browser, and chunks cut for both would make both heavier.
 */
const visitorPage: Plugin = {
  name: 'visitor-page',
  apply: 'build',
  closeBundle: {
    order: 'post',
    sequential: true,
    async handler() {
      await build({
        ...shared,
        configFile: false,
        plugins: [react()],
        build: {
          ...shared.build,
          rollupOptions: { input: 'visitor.html' },
          assetsDir: 'assets/visitor',
          manifest: '.vite/visitor.json',
          emptyOutDir: false,
          copyPublicDir: false,
        },
      });
    },
  },
};

export default defineConfig({
  ...shared,
  plugins: [
    visitorPage,
    react(),
    pdfAssets(),
    // Without `pre` the locale files are resolved before the plugin sees them and all of them are bundled.
    { ...optimizeLocales.vite({ locales: ['zh-CN', 'zh-TW', 'en-US'] }), enforce: 'pre' },
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      // core/pwa.ts does it, by its Trusted Types policy.
      injectRegister: false,
      includeManifestIcons: false,
      injectManifest: {
        // The shell and every screen. Other languages and what is heavy are kept once they were used.
        globPatterns: ['index.html', 'favicon.svg', 'assets/*.{js,css}'],
        globIgnores: ['assets/{en,zh-TW,zh-HK,pdf}*', 'assets/esm-*'],
        maximumFileSizeToCacheInBytes: 500_000,
        dontCacheBustURLsMatching: /^assets\//,
      },
      manifest: {
        id: '/',
        name: '鹊桥 Magpie',
        short_name: '鹊桥',
        description: '给团队的聊天与协作',
        lang: 'zh-CN',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#f5f6f8',
        theme_color: '#17243a',
        icons: [
          { src: '/favicon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
          { src: '/icons/192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icons/512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icons/maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
  build: {
    ...shared.build,
    rolldownOptions: {
      output: {
        // What a first visit needs comes in two files rather than forty: the libraries, which stay over releases, and ours.
        codeSplitting: {
          groups: [
            { name: 'base', tags: ['$initial'], test: /node_modules/, priority: 2 },
            { name: 'shell', tags: ['$initial'], priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    proxy: { '/api': { target: server, ws: true }, '^/f/': server },
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['./vitest.setup.ts'],
    restoreMocks: true,
    // A cut-off for what hangs, far above what a busy machine takes.
    testTimeout: 60_000,
  },
});

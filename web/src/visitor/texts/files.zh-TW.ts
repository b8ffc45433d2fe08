// Made by tools/hant.mjs.
/** The words for files: the app's own. */
export { default } from '~/features/files/locales/zh-TW.json';

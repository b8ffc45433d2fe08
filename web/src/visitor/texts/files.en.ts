/** The words for files: the app's own. */
export { default } from '~/features/files/locales/en.json';

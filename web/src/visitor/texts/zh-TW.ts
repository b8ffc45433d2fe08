// Made by tools/hant.mjs.
/** The texts of the visitor page: one chunk a language. */
import errors from '~/i18n/locales/zh-TW/errors.json';
import visitor from '../locales/zh-TW.json';

export default { errors, visitor };

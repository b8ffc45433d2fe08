// Made by tools/hant.mjs.
/** The texts of the visitor page: one chunk a language. */
import errors from '~/i18n/locales/zh-HK/errors.json';
import visitor from '../locales/zh-HK.json';

export default { errors, visitor };

/** The texts of the visitor page: one chunk a language. */
import errors from '~/i18n/locales/zh-CN/errors.json';
import visitor from '../locales/zh-CN.json';

export default { errors, visitor };

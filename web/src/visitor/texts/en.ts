import errors from '~/i18n/locales/en/errors.json';
import visitor from '../locales/en.json';

export default { errors, visitor };

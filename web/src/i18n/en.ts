/** English; its keys are held equal to the Chinese ones by tools/i18n-check.mjs. */
import chat from '../features/chat/locales/en.json';
import common from './locales/en/common.json';
import errors from './locales/en/errors.json';

export default { common, errors, chat };

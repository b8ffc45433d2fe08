// Made by tools/hant.mjs.
/** The texts of the first paint: the shell and the conversations. The rest follows at once (`zh-TW.rest.ts`). */
import chat from '../features/chat/locales/zh-TW.json';
import common from './locales/zh-TW/common.json';
import errors from './locales/zh-TW/errors.json';

export default { common, errors, chat };

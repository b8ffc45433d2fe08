// Made by tools/hant.mjs.
/** The texts of the first paint: the shell and the conversations. The rest follows at once (`zh-HK.rest.ts`). */
import chat from '../features/chat/locales/zh-HK.json';
import common from './locales/zh-HK/common.json';
import errors from './locales/zh-HK/errors.json';

export default { common, errors, chat };

/** The texts of the first paint: the shell and the conversations. The rest follows at once (`zh-CN.rest.ts`). */
import chat from '../features/chat/locales/zh-CN.json';
import common from './locales/zh-CN/common.json';
import errors from './locales/zh-CN/errors.json';

export default { common, errors, chat };

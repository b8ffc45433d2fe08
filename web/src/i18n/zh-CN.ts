/** All texts of one language in one chunk: some ten kilobytes, loaded once, before the first paint. */
import chat from '../features/chat/locales/zh-CN.json';
import directory from '../features/directory/locales/zh-CN.json';
import identity from '../features/identity/locales/zh-CN.json';
import onboarding from '../features/onboarding/locales/zh-CN.json';
import settings from '../features/settings/locales/zh-CN.json';
import common from './locales/zh-CN/common.json';
import errors from './locales/zh-CN/errors.json';
import ui from './locales/zh-CN/ui.json';

export default { common, errors, identity, directory, chat, onboarding, settings, ui };

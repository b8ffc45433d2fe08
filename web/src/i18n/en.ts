/** English; its keys are held equal to the Chinese ones by tools/i18n-check.mjs. */
import chat from '../features/chat/locales/en.json';
import directory from '../features/directory/locales/en.json';
import identity from '../features/identity/locales/en.json';
import onboarding from '../features/onboarding/locales/en.json';
import settings from '../features/settings/locales/en.json';
import common from './locales/en/common.json';
import errors from './locales/en/errors.json';
import ui from './locales/en/ui.json';

export default { common, errors, identity, directory, chat, onboarding, settings, ui };

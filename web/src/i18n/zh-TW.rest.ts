// Made by tools/hant.mjs.
/** The texts of everything that is not drawn first: one chunk, read right after the first paint. */
import admin from '../features/admin/locales/zh-TW.json';
import directory from '../features/directory/locales/zh-TW.json';
import files from '../features/files/locales/zh-TW.json';
import guests from '../features/guests/locales/zh-TW.json';
import identity from '../features/identity/locales/zh-TW.json';
import notify from '../features/notify/locales/zh-TW.json';
import onboarding from '../features/onboarding/locales/zh-TW.json';
import scan from '../features/scan/locales/zh-TW.json';
import search from '../features/search/locales/zh-TW.json';
import settings from '../features/settings/locales/zh-TW.json';
import waiting from '../features/waiting/locales/zh-TW.json';
import workbench from '../features/workbench/locales/zh-TW.json';
import ui from './locales/zh-TW/ui.json';

export default {
  admin,
  directory,
  files,
  guests,
  identity,
  notify,
  onboarding,
  scan,
  search,
  settings,
  waiting,
  ui,
  workbench,
};

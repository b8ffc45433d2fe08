// Made by tools/hant.mjs.
/** The texts of everything that is not drawn first: one chunk, read right after the first paint. */
import admin from '../features/admin/locales/zh-HK.json';
import directory from '../features/directory/locales/zh-HK.json';
import files from '../features/files/locales/zh-HK.json';
import guests from '../features/guests/locales/zh-HK.json';
import identity from '../features/identity/locales/zh-HK.json';
import notify from '../features/notify/locales/zh-HK.json';
import onboarding from '../features/onboarding/locales/zh-HK.json';
import scan from '../features/scan/locales/zh-HK.json';
import search from '../features/search/locales/zh-HK.json';
import settings from '../features/settings/locales/zh-HK.json';
import waiting from '../features/waiting/locales/zh-HK.json';
import workbench from '../features/workbench/locales/zh-HK.json';
import ui from './locales/zh-HK/ui.json';

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

/** The texts of everything that is not drawn first: one chunk, read right after the first paint. */
import admin from '../features/admin/locales/zh-CN.json';
import directory from '../features/directory/locales/zh-CN.json';
import files from '../features/files/locales/zh-CN.json';
import guests from '../features/guests/locales/zh-CN.json';
import identity from '../features/identity/locales/zh-CN.json';
import notify from '../features/notify/locales/zh-CN.json';
import onboarding from '../features/onboarding/locales/zh-CN.json';
import scan from '../features/scan/locales/zh-CN.json';
import search from '../features/search/locales/zh-CN.json';
import settings from '../features/settings/locales/zh-CN.json';
import waiting from '../features/waiting/locales/zh-CN.json';
import workbench from '../features/workbench/locales/zh-CN.json';
import ui from './locales/zh-CN/ui.json';

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

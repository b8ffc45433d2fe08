/** The texts of everything that is not drawn first: one chunk, read right after the first paint. */
import admin from '../features/admin/locales/en.json';
import directory from '../features/directory/locales/en.json';
import files from '../features/files/locales/en.json';
import guests from '../features/guests/locales/en.json';
import identity from '../features/identity/locales/en.json';
import notify from '../features/notify/locales/en.json';
import onboarding from '../features/onboarding/locales/en.json';
import scan from '../features/scan/locales/en.json';
import search from '../features/search/locales/en.json';
import settings from '../features/settings/locales/en.json';
import waiting from '../features/waiting/locales/en.json';
import workbench from '../features/workbench/locales/en.json';
import ui from './locales/en/ui.json';

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

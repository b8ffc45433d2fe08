/** Puts theme and text size on the document, before the first paint and on every change. */
import { settings } from '~/core/settings';

const BASE_FONT = 14;
/** From here on lines wrap that otherwise are cut. */
const LARGE = 22;

function apply(): void {
  const { theme, fontSize, density, care } = settings.getState();
  const root = document.documentElement;
  if (theme === 'system') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', theme);
  root.toggleAttribute('data-care', care);
  root.toggleAttribute('data-compact', density === 'compact' && !care);
  root.toggleAttribute('data-large', fontSize >= LARGE);
  root.style.setProperty('--scale', String(fontSize / BASE_FONT));
}

export function startTheme(): void {
  apply();
  settings.subscribe(apply);
}

/** Tells of messages through the system while no tab of the client is looked at. A chunk of its own: most never allow it. */
import { notificationState } from '~/core/notifications';
import { settings } from '~/core/settings';
import { type News, watchNews } from '~/features/chat/news';
import { i18next } from '~/i18n';
import { router } from './router';

const SEEN = 'magpie:seen';

/** A tab that is looked at holds a lock, so that hidden ones know. */
function holdWhileSeen(): void {
  let letGo: (() => void) | undefined;
  const change = () => {
    letGo?.();
    letGo = undefined;
    if (document.hidden) return;
    void navigator.locks?.request(SEEN, { mode: 'shared' }, () => new Promise<void>((done) => (letGo = done)));
  };
  document.addEventListener('visibilitychange', change);
  change();
}

async function seenElsewhere(): Promise<boolean> {
  const held = await navigator.locks?.query();
  return held?.held?.some((lock) => lock.name === SEEN) ?? false;
}

async function show(news: News): Promise<void> {
  const { notifications, notifyText } = settings.getState();
  if (!notifications || !document.hidden || notificationState() !== 'granted' || (await seenElsewhere())) return;
  // One for each conversation: the newest takes the place of the one before.
  const shown = new Notification(news.who, {
    body: notifyText ? news.text.slice(0, 200) : i18next.t('common:new_message'),
    tag: news.conversation,
    icon: '/icons/192.png',
  });
  shown.onclick = () => {
    window.focus();
    shown.close();
    void router.navigate({ to: '/chat/$conversation', params: { conversation: news.conversation } });
  };
}

let started = false;

/** Starts at most once; the switch is asked each time. */
export function startNotifying(): void {
  if (started) return;
  started = true;
  holdWhileSeen();
  watchNews((news) => void show(news).catch(() => undefined));
}

/** Whether this browser may tell of messages while nobody looks at the page. Asked for only after somebody pressed something. */
export type NotificationState =
  /** Granted: it depends on the person's own switch. */
  | 'granted'
  /** May be asked for. */
  | 'ask'
  /** The person said no to the browser; only its settings can change that. */
  | 'denied'
  /** Only over https. */
  | 'insecure'
  /** An iPhone allows it to pages on its home screen only. */
  | 'install'
  | 'absent';

export function notificationState(): NotificationState {
  if (!globalThis.isSecureContext) return 'insecure';
  if (!('Notification' in globalThis)) {
    const apple = /iPhone|iPad/.test(navigator.userAgent);
    return apple ? 'install' : 'absent';
  }
  const { permission } = Notification;
  return permission === 'default' ? 'ask' : permission;
}

/** Asks the person through the browser. */
export async function askForNotifications(): Promise<NotificationState> {
  if (notificationState() === 'ask') await Notification.requestPermission().catch(() => undefined);
  return notificationState();
}

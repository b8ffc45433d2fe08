/** Moments as people write them: 14:05, 昨天, 周三, 3月5日. In the viewer's zone. */
import type { Language } from '~/core/settings';

const DAY = 86_400_000;

export function startOfDay(ms: number): number {
  const d = new Date(ms);
  return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}

/** Whole calendar days from `ms` to `now`. */
function daysAgo(ms: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(ms)) / DAY);
}

const cache = new Map<string, Intl.DateTimeFormat>();

function format(locale: Language, key: string, options: Intl.DateTimeFormatOptions, ms: number): string {
  const id = `${locale}/${key}`;
  let f = cache.get(id);
  if (!f) {
    f = new Intl.DateTimeFormat(locale, options);
    cache.set(id, f);
  }
  return f.format(ms);
}

/** The days of a week from Monday, in short. */
export function weekdays(locale: Language): string[] {
  // 5 January 1970 was a Monday.
  return [5, 6, 7, 8, 9, 10, 11].map((day) =>
    format(locale, 'weekday', { weekday: 'short' }, new Date(1970, 0, day).getTime()),
  );
}

export function clockTime(locale: Language, ms: number): string {
  return format(locale, 'time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, ms);
}

export function fullTime(locale: Language, ms: number): string {
  return format(locale, 'full', { dateStyle: 'long', timeStyle: 'short' }, ms);
}

/** For a list: as short as it can be and still be clear. */
export function listTime(locale: Language, ms: number, now: number): string {
  const ago = daysAgo(ms, now);
  if (ago <= 0) return clockTime(locale, ms);
  if (ago === 1) return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-1, 'day');
  if (ago < 7) return format(locale, 'weekday', { weekday: 'short' }, ms);
  return date(locale, ms, now);
}

/** For the divider above a day. */
export function dayTitle(locale: Language, ms: number, now: number): string {
  const ago = daysAgo(ms, now);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  if (ago === 0 || ago === 1) return relative.format(-ago as 0, 'day');
  return calendarDay(locale, ms, now);
}

/** 11月22日 周日 */
export function calendarDay(locale: Language, ms: number, now: number): string {
  const weekday = format(locale, 'weekday', { weekday: 'short' }, ms);
  return locale.startsWith('zh') ? `${date(locale, ms, now)} ${weekday}` : `${weekday}, ${date(locale, ms, now)}`;
}

function date(locale: Language, ms: number, now: number): string {
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  if (sameYear)
    return format(locale, 'date', { month: locale.startsWith('zh') ? 'long' : 'short', day: 'numeric' }, ms);
  return format(
    locale,
    'year',
    { year: 'numeric', month: locale.startsWith('zh') ? 'long' : 'short', day: 'numeric' },
    ms,
  );
}

/** Why a file was not taken, in the words of whoever sends it: what is full, of whom, and for how long. */
import type { AppError } from '~/api/client';
import { bytesText } from '~/core/files/bytes';
import { useErrorText, useLanguage, useT } from '../i18n';

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** What no other try changes. */
const FINAL = new Set(['file_too_large', 'guest_files_off', 'conversation_read_only', 'file_name_invalid']);

export const isFinal = (error: AppError | undefined): boolean => error !== undefined && FINAL.has(error.code);

/** "in 3 hours", rounded up: what is promised holds. */
export function inTime(locale: string, ms: number): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  if (ms > HOUR) return format.format(Math.ceil(ms / HOUR), 'hour');
  return format.format(Math.max(1, Math.ceil(ms / MINUTE)), 'minute');
}

export function useWhyNot(): (error: AppError) => string {
  const t = useT();
  const text = useErrorText();
  const language = useLanguage();
  return (error) => {
    const { of, limit, most_files, retry_after_ms } = error.context;
    const mine = of === 'guest';
    const most = typeof limit === 'number' ? bytesText(language, limit) : '';
    if (error.code === 'file_too_large' && most) return t('files:guest.too_large', { most });
    if (error.code === 'guest_day_full' && typeof retry_after_ms === 'number') {
      const when = inTime(language, retry_after_ms);
      return mine ? t('files:guest.day', { most, when }) : t('files:guest.day_others', { when });
    }
    if (error.code === 'quota_full') {
      if (!mine) return t('files:guest.full_others');
      return typeof most_files === 'number'
        ? t('files:guest.full_files', { most: most_files })
        : t('files:guest.full', { most });
    }
    if (error.code === 'too_many_uploads') return t('files:guest.busy');
    return text(error);
  };
}

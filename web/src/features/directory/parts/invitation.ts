import type { Invitation } from '~/api/types';
import { useLocale, useT } from '~/i18n';
import { fullTime } from '~/i18n/format';
import type { PosterProps } from '~/ui/Poster';

/** A short code as it is read aloud and typed: in two halves. */
export const spoken = (short: string): string => `${short.slice(0, 4)}-${short.slice(4)}`.toUpperCase();

/** An invitation as a sheet to hang up. */
export function usePoster(org: string, invitation: Invitation): PosterProps {
  const t = useT();
  const locale = useLocale();
  return {
    title: org,
    lead: t('directory:invitations.poster'),
    url: invitation.url,
    code: invitation.short ? spoken(invitation.short) : undefined,
    until: t('onboarding:invite.expires', { when: fullTime(locale, invitation.expires_at) }),
    qr: t('onboarding:invite.qr'),
  };
}

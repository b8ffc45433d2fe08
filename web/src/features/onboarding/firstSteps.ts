/** What is worth doing in the first minutes, as far as it exists and is not done. */
import { useQuery } from '@tanstack/react-query';
import type { LinkProps } from '@tanstack/react-router';
import { useState } from 'react';
import { useStore } from 'zustand';
import { ask, client } from '~/api/client';
import { askForNotifications, notificationState } from '~/core/notifications';
import { session } from '~/core/store/session';
import { directory } from '~/features/directory';
import { readSessions } from '~/features/identity';
import { useT } from '~/i18n';

export interface Step {
  id: string;
  label: string;
  text: string;
  done: boolean;
  link?: Pick<LinkProps, 'to' | 'params'>;
  run?: () => void;
}

export function useFirstSteps(): Step[] | undefined {
  const t = useT();
  const me = useStore(session, (s) => s.me);
  const orgs = useStore(directory, (s) => s.orgs);
  const mine = useQuery({ queryKey: ['me'], queryFn: () => ask(client.GET('/me')), staleTime: 0 });
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: readSessions, staleTime: 0 });
  const [notifying, setNotifying] = useState(notificationState);
  if (!mine.data || !sessions.data) return undefined;
  const alone = Object.values(orgs).find((o) => o.role === 'owner' && o.member_count < 2);
  const { password, passkeys } = mine.data.credentials;
  const steps: Step[] = [
    {
      id: 'way',
      label: t('onboarding:steps.way'),
      text: t('onboarding:steps.way_text'),
      done: Boolean(password) || Boolean(passkeys),
      link: { to: '/me/security' },
    },
    {
      id: 'photo',
      label: t('onboarding:steps.photo'),
      text: t('onboarding:steps.photo_text'),
      done: Boolean(me?.photo),
      link: { to: '/me' },
    },
    {
      id: 'device',
      label: t('onboarding:steps.device'),
      text: t('onboarding:steps.device_text', { host: location.host }),
      done: sessions.data.items.length > 1,
    },
  ];
  // Only while it is possible and was not answered: asked for by the press, never before.
  if (notifying === 'ask' || notifying === 'granted') {
    steps.push({
      id: 'notify',
      label: t('onboarding:steps.notify'),
      text: t('onboarding:steps.notify_text'),
      done: notifying === 'granted',
      run: () => void askForNotifications().then(setNotifying),
    });
  }
  if (alone) {
    steps.push({
      id: 'invite',
      label: t('onboarding:steps.invite'),
      text: t('onboarding:steps.invite_text'),
      done: false,
      link: { to: '/invite/$org', params: { org: alone.id } },
    });
  }
  return steps;
}

import { History, KeyRound } from 'lucide-react';
import type { Destinations } from '~/ui/destination';

export const destinations: Destinations = () => [
  {
    id: 'security',
    link: { to: '/me/security' },
    icon: KeyRound,
    label: (t) => t('identity:security.title'),
    text: (t) => t('identity:place.security'),
  },
  {
    id: 'activity',
    link: { to: '/me/activity' },
    icon: History,
    label: (t) => t('identity:activity.title'),
    text: (t) => t('identity:place.activity'),
  },
];

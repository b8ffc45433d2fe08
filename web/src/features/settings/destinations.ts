import { User } from 'lucide-react';
import type { Destinations } from '~/ui/destination';

export const destinations: Destinations = () => [
  { id: 'me', link: { to: '/me' }, icon: User, label: (t) => t('common:slots.me') },
];

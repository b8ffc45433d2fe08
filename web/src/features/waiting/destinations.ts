import { ListChecks } from 'lucide-react';
import type { Destinations } from '~/ui/destination';
import { useWaitingCount } from './useWaiting';

export const destinations: Destinations = () => [
  {
    id: 'waiting',
    link: { to: '/waiting' },
    icon: ListChecks,
    label: (t) => t('common:slots.waiting'),
    useCount: useWaitingCount,
  },
];

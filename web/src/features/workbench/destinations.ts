import { LayoutGrid } from 'lucide-react';
import type { Destinations } from '~/ui/destination';

export const destinations: Destinations = () => [
  { id: 'workbench', link: { to: '/workbench' }, icon: LayoutGrid, label: (t) => t('common:slots.workbench') },
];

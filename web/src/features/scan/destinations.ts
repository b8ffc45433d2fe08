import { ScanLine } from 'lucide-react';
import type { Destinations } from '~/ui/destination';

export const destinations: Destinations = () => [
  {
    id: 'scan',
    link: { to: '/scan' },
    icon: ScanLine,
    label: (t) => t('scan:title'),
    text: (t) => t('scan:place'),
  },
];

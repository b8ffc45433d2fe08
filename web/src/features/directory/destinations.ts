import { Building2, Contact, Users } from 'lucide-react';
import type { Destination, Destinations } from '~/ui/destination';

/** Colleagues where there are any, friends always, and the organisations one looks after. */
export const destinations: Destinations = ({ orgs }) => {
  const colleagues: Destination = {
    id: 'contacts',
    link: { to: '/contacts' },
    icon: Users,
    label: (t) => t('common:slots.contacts'),
    text: (t) => t('directory:place.contacts'),
  };
  const friends: Destination = {
    id: 'friends',
    link: { to: '/friends' },
    icon: Contact,
    label: (t) => t('common:slots.friends'),
    text: (t) => t('directory:place.friends'),
  };
  const managed = orgs.filter((o) => o.role === 'owner' || o.role === 'admin');
  return [
    ...(orgs.length > 0 ? [colleagues] : []),
    friends,
    ...managed.map(
      (org): Destination => ({
        id: `manage:${org.id}`,
        link: { to: '/org/$org/manage', params: { org: org.id } },
        icon: Building2,
        label: (t) => (managed.length > 1 ? t('common:slots.manage_of', { org: org.name }) : t('common:slots.manage')),
        text: (t) => t('directory:place.manage'),
        org,
      }),
    ),
  ];
};

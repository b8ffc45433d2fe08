/** What one should know of people before believing their names. */
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import { people } from '~/core/store/people';
import type { PersonMarks } from '~/ui/Marks';
import { memberOf } from './names';
import { chat } from './store';

const NO_MARKS: PersonMarks = {};
const GUEST: PersonMarks = { guest: true };

/**
 * Whether "unverified" tells colleagues apart: where an organisation has checked nobody's name it would stand beside
 * everyone and say nothing. It always stands beside whoever is external, and for whoever is outside oneself.
 */
export const Verifying = createContext(true);

/** Of a member of a conversation; nothing while the members are not known. */
export function useMarks(conversation: string, user: string): PersonMarks {
  const verifying = useContext(Verifying);
  const guest = useStore(people, (s) => s.users[user]?.kind === 'guest');
  const marks = useStore(chat, (s) => memberOf(s.members[conversation], user)) ?? NO_MARKS;
  if (guest) return GUEST;
  return marks.unverified && !marks.external && !verifying ? { ...marks, unverified: false } : marks;
}

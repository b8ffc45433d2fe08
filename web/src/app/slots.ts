/** Which destinations stand where. A role fills at most five slots, the same on rail and tabs; the rail takes pins up to eight places. */
import type { Destination, Viewer } from '~/ui/destination';

export type Role = 'alone' | 'member' | 'lead';

export const MAX_SLOTS = 5;
export const MAX_PLACES = 8;

/** Each slot names what may stand there, the best first; the first that exists for this person does. */
const SLOTS: Record<Role, readonly (readonly string[])[]> = {
  alone: [['chat'], ['waiting'], ['friends'], ['workbench'], ['me']],
  member: [['chat'], ['waiting'], ['calendar', 'contacts'], ['workbench'], ['me']],
  lead: [['chat'], ['waiting'], ['team', 'calendar', 'contacts'], ['workbench'], ['me']],
};

export function roleOf({ orgs }: Viewer): Role {
  if (orgs.length === 0) return 'alone';
  return orgs.some((o) => o.role === 'owner' || o.role === 'admin') ? 'lead' : 'member';
}

export function arrange(
  role: Role,
  all: readonly Destination[],
  pins: readonly string[],
): { slots: Destination[]; pinned: Destination[] } {
  const byId = new Map(all.map((d) => [d.id, d]));
  const slots: Destination[] = [];
  for (const choices of SLOTS[role].slice(0, MAX_SLOTS)) {
    const found = choices.map((id) => byId.get(id)).find((d) => d && !slots.includes(d));
    if (found) slots.push(found);
  }
  const wanted = pins.map((id) => byId.get(id)).filter((d) => d !== undefined);
  const pinned = wanted.filter((d) => !slots.includes(d));
  return { slots, pinned: pinned.slice(0, MAX_PLACES - slots.length) };
}

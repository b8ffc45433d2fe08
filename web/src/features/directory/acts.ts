/** Acts of the audit chain this client has words for. */
const ACTS = [
  'invitation_created',
  'invitation_changed',
  'invitation_revoked',
  'join_approved',
  'join_refused',
  'role_changed',
  'member_changed',
  'member_numbered',
  'member_renamed',
  'member_verified',
  'member_suspended',
  'member_resumed',
  'member_removed',
  'handed_over',
  'org_renamed',
  'org_created',
  'org_exported',
  'org_closed',
  'closing_announced',
  'closing_cancelled',
  'settings_changed',
  'accounts_issued',
  'card_issued',
  'card_renewed',
  'recovery_asked',
  'recovery_approved',
  'recovery_refused',
  'recovery_used',
] as const;

export type ActKey = (typeof ACTS)[number] | 'other';

/** The act behind a dotted name such as `directory.role_changed`; a newer server's are "other". */
export function actKey(action: string): ActKey {
  const last = action.split('.').pop() ?? '';
  return ACTS.find((act) => act === last) ?? 'other';
}

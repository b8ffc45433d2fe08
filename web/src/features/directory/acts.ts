/** Acts of the audit chain this client has words for. */
const ACTS = [
  'invitation_created',
  'invitation_changed',
  'invitation_revoked',
  'request_approved',
  'request_refused',
  'role_changed',
  'member_changed',
  'member_suspended',
  'member_restored',
  'member_removed',
  'handed_over',
  'org_renamed',
  'org_created',
  'closing_started',
  'closing_cancelled',
  'exported',
  'settings_changed',
  'accounts_issued',
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

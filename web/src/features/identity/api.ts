import { AppError, ask, client } from '~/api/client';
import type { Contact, Me, Merge, Notice, Page, Passkey, Session, SignedIn, User } from '~/api/types';
import { now } from '~/core/clock';
import { assertPasskey, createPasskey } from './passkey';

export type { SignedIn } from '~/api/types';

export interface NewAccount {
  name: string;
  /** May be left out with an invitation: then the account lives by this device until it has a way in. */
  password?: string;
  invitation?: string;
  setup_token?: string;
}

/** What may be shown besides the password. */
export interface Second {
  totp?: string;
  recovery_code?: string;
}

export const signUp = (account: NewAccount): Promise<SignedIn> => ask(client.POST('/accounts', { body: account }));

export async function signUpByPasskey(account: Omit<NewAccount, 'password'>): Promise<SignedIn> {
  const { id, options } = await ask(client.POST('/accounts/passkey/start', { body: account }));
  const credential = await createPasskey(options);
  return ask(client.POST('/accounts/passkey', { body: { id, credential } }));
}

export interface PasswordSignIn extends Second {
  login: string;
  password: string;
  /** In place of the PIN of a card, which opens the account once. */
  new_password?: string;
  shared?: boolean;
}

export const signIn = (input: PasswordSignIn): Promise<SignedIn> => ask(client.POST('/sessions', { body: input }));

/** Undoes the merge of an account by its own password, within a week. */
export const partAccount = (input: { login: string; password: string } & Second): Promise<unknown> =>
  ask(client.POST('/merges/undo', { body: input }));

export async function signInByPasskey(shared: boolean): Promise<SignedIn> {
  const { id, options } = await ask(client.POST('/passkey-sign-ins', { body: {} }));
  const credential = await assertPasskey(options);
  return ask(client.POST('/sessions/passkey', { body: { id, credential, shared } }));
}

export const startReset = (contact: string): Promise<{ id: string }> =>
  ask(client.POST('/resets', { body: { contact } }));

export interface Reset {
  code: string;
  new_password?: string;
  second?: Second;
  shared?: boolean;
}

export const finishReset = (id: string, input: Reset): Promise<SignedIn> =>
  ask(client.POST('/resets/{id}', { params: { path: { id } }, body: input }));

export const askForLink = (shared: boolean) => ask(client.POST('/sign-in-links', { body: { shared } }));

export const claimLink = (id: string, secret: string) =>
  ask(client.POST('/sign-in-links/{id}/claim', { params: { path: { id } }, body: { secret } }));

export const readLink = (code: string) => ask(client.GET('/sign-in-links/code/{code}', { params: { path: { code } } }));

export const approveLink = (code: string): Promise<unknown> =>
  ask(client.POST('/sign-in-links/code/{code}/approve', { params: { path: { code } }, body: {} }));

export const refuseLink = (code: string): Promise<unknown> =>
  ask(client.POST('/sign-in-links/code/{code}/refuse', { params: { path: { code } }, body: {} }));

export const readSessions = (): Promise<{ items: Session[] }> => ask(client.GET('/sessions'));

export const endSession = (id: string): Promise<unknown> =>
  ask(client.DELETE('/sessions/{id}', { params: { path: { id } } }));

/** How a session shows again that its person is there. */
export const proveByPassword = (password: string): Promise<unknown> =>
  ask(client.POST('/me/proof', { body: { password } }));

export const proveByTotp = (totp: string): Promise<unknown> => ask(client.POST('/me/proof', { body: { totp } }));

export async function proveByPasskey(): Promise<void> {
  const { id, options } = await ask(client.POST('/me/proof/passkey/start', { body: {} }));
  const credential = await assertPasskey(options);
  await ask(client.POST('/me/proof', { body: { passkey: { id, credential } } }));
}

export const readMe = (): Promise<Me> => ask(client.GET('/me'));

export const setPassword = (body: {
  password?: string;
  new_password: string;
  end_other_sessions: boolean;
}): Promise<unknown> => ask(client.POST('/password', { body }));

export const readPasskeys = (): Promise<{ items: Passkey[] }> => ask(client.GET('/me/passkeys'));

export async function addPasskey(name: string): Promise<Passkey> {
  const { id, options } = await ask(client.POST('/me/passkeys/start', { body: {} }));
  const credential = await createPasskey(options);
  return ask(client.POST('/me/passkeys', { body: { id, credential, name } }));
}

export const renamePasskey = (id: string, name: string): Promise<unknown> =>
  ask(client.PATCH('/me/passkeys/{id}', { params: { path: { id } }, body: { name } }));

export const removePasskey = (id: string): Promise<unknown> =>
  ask(client.DELETE('/me/passkeys/{id}', { params: { path: { id } } }));

export const startTotp = (): Promise<{ secret: string; url: string }> =>
  ask(client.POST('/me/totp/start', { body: {} }));

export const confirmTotp = (code: string): Promise<{ recovery_codes: string[] }> =>
  ask(client.POST('/me/totp', { body: { code } }));

export const stopTotp = (): Promise<unknown> => ask(client.DELETE('/me/totp'));

export const newRecoveryCodes = (): Promise<{ recovery_codes: string[] }> =>
  ask(client.POST('/me/recovery-codes', { body: {} }));

export const addContact = (kind: Contact['kind'], address: string): Promise<Contact> =>
  ask(client.POST('/me/contacts', { body: { kind, address } }));

export const verifyContact = (id: string, code: string): Promise<unknown> =>
  ask(client.POST('/me/contacts/{id}/verify', { params: { path: { id } }, body: { code } }));

export const removeContact = (id: string): Promise<unknown> =>
  ask(client.DELETE('/me/contacts/{id}', { params: { path: { id } } }));

export const showContact = (id: string, visible_to: Contact['visible_to']): Promise<unknown> =>
  ask(client.PATCH('/me/contacts/{id}', { params: { path: { id } }, body: { visible_to } }));

export const endOtherSessions = (): Promise<unknown> => ask(client.DELETE('/sessions'));

/** The server asks for a proof that is this recent. */
const PROOF_MS = 10 * 60_000;

/** Fails as the server would where the next act would ask for a fresh proof. */
export async function needProof(): Promise<void> {
  const { session, credentials } = await readMe();
  const methods = [
    ...(credentials.password ? ['password'] : []),
    ...(credentials.passkeys > 0 ? ['passkey'] : []),
    ...(credentials.totp ? ['totp'] : []),
  ];
  // A minute less, for the way there.
  if (methods.length === 0 || (session.proven_at ?? 0) > now() - PROOF_MS + 60_000) return;
  throw new AppError('proof_required', 403, { code: 'proof_required', context: { methods } });
}

export const changeMe = (body: { name?: string; bio?: string }): Promise<User> => ask(client.PATCH('/me', { body }));

/** The picture as it is; the server turns, trims and shrinks it. */
export async function setPhoto(file: Blob): Promise<User> {
  return ask(
    client.PUT('/me/photo', {
      body: file as never,
      bodySerializer: (body) => body as unknown as Blob,
      headers: { 'Content-Type': file.type || 'application/octet-stream' },
    }),
  );
}

export const dropPhoto = (): Promise<unknown> => ask(client.DELETE('/me/photo'));

export const readNotices = (cursor?: string): Promise<Page<Notice>> =>
  ask(client.GET('/me/notices', { params: { query: cursor ? { cursor } : {} } }));

export const seeNotice = (id: string): Promise<unknown> =>
  ask(client.PUT('/me/notices/{id}', { params: { path: { id } }, body: { seen: true } }));

export const offerMerge = (): Promise<{ code: string; expires_at: number }> => ask(client.POST('/me/merge-offers'));

export const previewMerge = (code: string): Promise<Merge> => ask(client.POST('/me/merges', { body: { code } }));

export const confirmMerge = (id: string): Promise<Merge> =>
  ask(client.POST('/me/merges/{id}/confirm', { params: { path: { id } } }));

export const undoMerge = (id: string): Promise<Merge> =>
  ask(client.POST('/me/merges/{id}/undo', { params: { path: { id } } }));

export const readMerges = (): Promise<{ items: Merge[] }> => ask(client.GET('/me/merges'));

export const refuseRecoveryOfMine = (id: string): Promise<unknown> =>
  ask(client.POST('/me/recoveries/{id}/refuse', { params: { path: { id } } }));

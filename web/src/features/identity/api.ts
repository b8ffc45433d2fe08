import { ask, client } from '~/api/client';
import type { Session, SignedIn, User } from '~/api/types';
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
  return ask(client.POST('/accounts/passkey', { body: { ...account, id, credential } }));
}

export interface PasswordSignIn extends Second {
  login: string;
  password: string;
  /** In place of the PIN of a card, which opens the account once. */
  new_password?: string;
  shared?: boolean;
}

export const signIn = (input: PasswordSignIn): Promise<SignedIn> => ask(client.POST('/sessions', { body: input }));

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
  ask(client.POST('/sign-in-links/code/{code}/approve', { params: { path: { code } } }));

export const refuseLink = (code: string): Promise<unknown> =>
  ask(client.POST('/sign-in-links/code/{code}/refuse', { params: { path: { code } } }));

export const readSessions = (): Promise<{ items: Session[] }> => ask(client.GET('/sessions'));

export const endSession = (id: string): Promise<unknown> =>
  ask(client.DELETE('/sessions/{id}', { params: { path: { id } } }));

export const renameMe = (name: string): Promise<User> => ask(client.PATCH('/me', { body: { name } }));

import { ask, client } from '~/api/client';
import type { Session, User } from '~/api/types';

export interface SignedIn {
  user: User;
  session: Session;
}

export interface NewAccount {
  name: string;
  password: string;
  invitation?: string;
  setup_token?: string;
}

export const signUp = (account: NewAccount): Promise<SignedIn> => ask(client.POST('/accounts', { body: account }));

export const signIn = (login: string, password: string): Promise<SignedIn> =>
  ask(client.POST('/sessions', { body: { login, password } }));

export const readSessions = (): Promise<{ items: Session[] }> => ask(client.GET('/sessions'));

export const endSession = (id: string): Promise<unknown> =>
  ask(client.DELETE('/sessions/{id}', { params: { path: { id } } }));

export const renameMe = (name: string): Promise<User> => ask(client.PATCH('/me', { body: { name } }));

/** People outside any organisation: asking, accepting, naming, blocking. */
import { ask, client } from '~/api/client';
import type { Friend, Page, PersonCode, PersonLook, Profile } from '~/api/types';

const at = (user: string) => ({ path: { user } });

export const readFriends = (cursor?: string): Promise<Page<Friend>> =>
  ask(client.GET('/me/friends', { params: { query: cursor ? { cursor } : {} } }));

export const askFriend = (who: { user?: string; code?: string }, hello: string): Promise<Friend> =>
  ask(client.POST('/me/friends', { body: { ...who, ...(hello ? { hello } : {}) } }));

export const acceptFriend = (user: string): Promise<unknown> =>
  ask(client.POST('/me/friends/{user}/accept', { params: at(user) }));

export const changeFriend = (user: string, body: { remark?: string; blocked?: boolean }): Promise<unknown> =>
  ask(client.PATCH('/me/friends/{user}', { params: at(user), body }));

export const removeFriend = (user: string): Promise<unknown> =>
  ask(client.DELETE('/me/friends/{user}', { params: at(user) }));

export const readOwnCode = (): Promise<PersonCode> => ask(client.GET('/me/friend-code'));

export const newOwnCode = (): Promise<PersonCode> => ask(client.POST('/me/friend-code'));

export const findPerson = (code: string): Promise<PersonLook> =>
  ask(client.GET('/people/{code}', { params: { path: { code } } }));

export const readProfile = (id: string): Promise<Profile> =>
  ask(client.GET('/users/{id}/profile', { params: { path: { id } } }));

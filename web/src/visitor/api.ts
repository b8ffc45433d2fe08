/** What a visitor asks of the server: by the same client as the app, with a token of their own instead of a cookie. */
import { ask, client } from '~/api/client';
import type {
  Conversation,
  ConversationMember,
  CursorMove,
  GuestEntered,
  GuestLook,
  History,
  Message,
  NewMessage,
} from '~/api/types';

let token: string | undefined;

export function setToken(next: string | undefined): void {
  token = next;
}

/** For requests that go another way than `client`. */
export const bearer = (): Record<string, string> => (token ? { Authorization: `Bearer ${token}` } : {});

client.use({
  onRequest({ request }) {
    if (token) request.headers.set('Authorization', `Bearer ${token}`);
    return request;
  },
});

export const look = (code: string): Promise<GuestLook> =>
  ask(client.GET('/guest-links/{code}', { params: { path: { code } } }));

export const enter = (code: string, name: string): Promise<GuestEntered> =>
  ask(client.POST('/guest-links/{code}/enter', { params: { path: { code } }, body: { name } }));

/** Leaves, and has one's name erased. */
export const leave = async (): Promise<void> => {
  await ask(client.DELETE('/me/guest'));
};

const at = (id: string) => ({ path: { id } });

export const readConversation = (id: string): Promise<Conversation> =>
  ask(client.GET('/conversations/{id}', { params: at(id) }));

export const readHistory = (id: string, before?: number): Promise<History> =>
  ask(
    client.GET('/conversations/{id}/messages', {
      params: { ...at(id), query: { limit: 50, ...(before ? { before } : {}) } },
    }),
  );

export const readMembers = async (id: string): Promise<ConversationMember[]> =>
  (await ask(client.GET('/conversations/{id}/members', { params: { ...at(id), query: { limit: 200 } } }))).items;

export const readCursors = async (id: string): Promise<{ user: string; read_seq: number }[]> =>
  (await ask(client.GET('/conversations/{id}/cursors', { params: at(id) }))).items;

export const send = (id: string, message: NewMessage) =>
  ask(client.POST('/conversations/{id}/messages', { params: at(id), body: message }));

export const recall = (id: string, seq: number): Promise<Message> =>
  ask(client.POST('/conversations/{id}/messages/{seq}/recall', { params: { path: { id, seq } } }));

export const moveCursors = (cursors: CursorMove[]): Promise<unknown> =>
  ask(client.PUT('/cursors', { body: { cursors } }));

/** Whether the token still opens anything. */
export async function lives(): Promise<boolean> {
  try {
    await ask(client.GET('/me'));
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'unauthenticated';
  }
}

/** A page can set no header of a socket, so the token is offered as a protocol beside ours. */
export const openSocket = (url: string): WebSocket => new WebSocket(url, ['magpie', `bearer.${token ?? ''}`]);

/** The face of who answers; 404 where there is none. */
export const faceOf = (code: string): string => `/api/v1/guest-links/${encodeURIComponent(code)}/photo`;

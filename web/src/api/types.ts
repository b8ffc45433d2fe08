/**
 * The HTTP contract as types, in the shape openapi-typescript generates, so that the generated file can take its place.
 * Ids are UUID strings, moments are milliseconds since 1970 in UTC.
 */

export type Uuid = string;
export type Millis = number;

export interface Problem {
  type?: string;
  title?: string;
  status: number;
  code: string;
  field?: string;
  detail?: string;
  context?: Record<string, unknown>;
  request_id?: string;
}

export interface Page<T> {
  items: T[];
  next?: string | null;
}

export interface ServerInfo {
  name: string;
  version: string;
  api: { min: number; max: number };
  epoch: string;
  setup_required: boolean;
  signup: 'open' | 'invitation';
  server_time: Millis;
  plain_http: boolean;
}

export interface User {
  id: Uuid;
  name: string;
  /** Only of oneself. */
  login?: string | null;
  kind: 'person' | 'guest' | 'bot';
  locale?: string | null;
  deleted?: boolean;
  created_at: Millis;
}

export interface Session {
  id: Uuid;
  device?: string | null;
  created_at: Millis;
  last_seen_at: Millis;
  current: boolean;
  kind: 'cookie' | 'bearer';
}

export type OrgRole = 'owner' | 'admin' | 'member';

export interface Org {
  id: Uuid;
  name: string;
  kind?: string;
  role?: OrgRole | null;
  member_count: number;
  rev: number;
  created_at: Millis;
  /** The conversation of everyone in the organisation. */
  all_staff: Uuid;
}

export interface Member {
  user: Uuid;
  name: string;
  role: OrgRole;
  state: 'active' | 'left';
  joined_at: Millis;
  rev: number;
}

export interface Invitation {
  id: Uuid;
  code: string;
  url: string;
  expires_at: Millis;
  max_uses?: number | null;
  uses: number;
  created_by: Uuid;
  created_at: Millis;
  revoked: boolean;
}

export interface InvitationPreview {
  org: { id: Uuid; name: string; member_count: number };
  inviter: { name: string };
  expires_at: Millis;
}

export interface TextBlock {
  type: 'text';
  text: string;
}
export interface MentionBlock {
  type: 'mention';
  user: Uuid;
}
export type Block = TextBlock | MentionBlock | { type: string };

export interface BlocksBody {
  kind: 'blocks';
  blocks: Block[];
}
export interface SystemBody {
  kind: 'system';
  event: string;
  [field: string]: unknown;
}
export type Body = BlocksBody | SystemBody;

export interface Reaction {
  emoji: string;
  count: number;
  /** The first 20. */
  users: Uuid[];
  me: boolean;
}

export interface Message {
  seq: number;
  n: number;
  rev: number;
  client_id?: Uuid | null;
  sender: { kind: string; id: Uuid };
  sent_at: Millis;
  /** null once recalled. */
  body: Body | null;
  mentions: Uuid[];
  mention_all: boolean;
  reply_to?: number | null;
  edited_at?: Millis | null;
  recalled_at?: Millis | null;
  countable: boolean;
  reactions?: Reaction[];
}

export interface Head {
  seq: number;
  n: number;
  rev: number;
  mention_all_n: number;
  changed_at: Millis;
}

export interface Cursor {
  read_seq: number;
  n: number;
  delivered_seq: number;
}

export interface Preferences {
  muted: boolean;
  pinned: boolean;
  hidden: boolean;
  marked_unread: boolean;
}

export interface Conversation {
  id: Uuid;
  kind: 'self' | 'direct' | 'group' | 'all_staff';
  org_id?: Uuid | null;
  title?: string | null;
  derived: boolean;
  external: boolean;
  member_count: number;
  members_preview: Uuid[];
  my_role?: OrgRole | null;
  peer?: Uuid | null;
  head: Head;
  last?: Message | null;
  cursor: Cursor;
  unread: number;
  mentioned: boolean;
  preferences: Preferences;
  draft?: string | null;
  joined_seq: number;
  can: { post: boolean; rename: boolean; add: boolean; mention_all: boolean };
}

export interface ConversationMember {
  user: Uuid;
  name: string;
  role: OrgRole;
  joined_seq: number;
  left: boolean;
}

export interface History {
  items: Message[];
  rev: number;
  head: Head;
}

export interface Sent {
  seq: number;
  n: number;
  rev: number;
  sent_at: Millis;
  client_id: Uuid;
}

export interface NewMessage {
  client_id: Uuid;
  body: Body;
  mentions: Uuid[];
  mention_all: boolean;
  reply_to?: number | null;
}

export interface MemberCursor {
  user: Uuid;
  read_seq: number;
  delivered_seq: number;
}

export interface CursorMove {
  conversation: Uuid;
  read_seq?: number;
  delivered_seq?: number;
}

export interface Receipts {
  read: number;
  unread: number;
  items: { user: Uuid; name: string; at?: Millis | null }[];
  next?: string | null;
}

interface Json<T> {
  content: { 'application/json': T };
}
interface Failure {
  content: { 'application/problem+json': Problem };
}
interface Empty {
  content?: never;
}

interface Parts {
  path?: object;
  query?: object;
  body?: unknown;
}

/** One operation: what it answers, and what it takes. */
type Op<R, P extends Parts = Record<never, never>> = {
  parameters: { header?: Record<string, string> } & (P extends { path: infer V } ? { path: V } : { path?: never }) &
    (P extends { query: infer Q } ? { query?: Q } : { query?: never });
  responses: { 200: R extends void ? Empty : Json<R>; default: Failure };
} & (P extends { body: infer B } ? { requestBody: Json<B> } : { requestBody?: never });

interface PageQuery {
  query: { cursor?: string; limit?: number };
}
interface Id {
  path: { id: Uuid };
}
interface IdUser {
  path: { id: Uuid; user: Uuid };
}
interface IdSeq {
  path: { id: Uuid; seq: number };
}

export interface paths {
  '/server': { get: Op<ServerInfo> };
  '/accounts': {
    post: Op<
      { user: User; session: Session },
      { body: { name: string; password: string; login?: string; invitation?: string; setup_token?: string } }
    >;
  };
  '/sessions': {
    get: Op<{ items: Session[] }>;
    post: Op<{ user: User; session: Session }, { body: { login: string; password: string; device?: string } }>;
  };
  '/sessions/current': { delete: Op<void> };
  '/sessions/{id}': { delete: Op<void, Id> };
  '/me': {
    get: Op<{ user: User; session: Session; rev?: number }>;
    patch: Op<User, { body: { name?: string; locale?: string } }>;
  };
  '/users': { get: Op<{ items: User[] }, { query: { ids: string } }> };
  '/orgs': { get: Op<{ items: Org[] }>; post: Op<Org, { body: { name: string; kind?: string } }> };
  '/orgs/{id}': { get: Op<Org, Id>; patch: Op<Org, Id & { body: { name: string } }> };
  '/orgs/{id}/members': {
    get: Op<Page<Member>, Id & { query: { cursor?: string; limit?: number; q?: string } }>;
  };
  '/orgs/{id}/members/{user}': {
    patch: Op<Member, IdUser & { body: { role: OrgRole } }>;
    delete: Op<void, IdUser>;
  };
  '/orgs/{id}/invitations': {
    get: Op<Page<Invitation>, Id>;
    post: Op<Invitation, Id & { body: { expires_in_s?: number; max_uses?: number } }>;
  };
  '/orgs/{id}/invitations/{invitation}': { delete: Op<void, { path: { id: Uuid; invitation: Uuid } }> };
  '/invitations/{code}': { get: Op<InvitationPreview, { path: { code: string } }> };
  '/invitations/{code}/accept': { post: Op<{ org: Org; conversation: Uuid }, { path: { code: string } }> };
  '/conversations': {
    get: Op<Page<Conversation>, PageQuery>;
    post: Op<Conversation, { body: { org_id?: Uuid; title?: string; members: Uuid[] } }>;
  };
  '/conversations/direct': { post: Op<Conversation, { body: { user: Uuid } }> };
  '/conversations/{id}': { get: Op<Conversation, Id>; patch: Op<Conversation, Id & { body: { title: string } }> };
  '/conversations/{id}/members': {
    get: Op<Page<ConversationMember>, Id & PageQuery>;
    post: Op<unknown, Id & { body: { users: Uuid[] } }>;
  };
  '/conversations/{id}/members/{user}': {
    patch: Op<unknown, IdUser & { body: { role: OrgRole } }>;
    delete: Op<void, IdUser>;
  };
  '/conversations/{id}/messages': {
    get: Op<History, Id & { query: { before?: number; after?: number; around?: number; limit?: number } }>;
    post: Op<Sent, Id & { body: NewMessage }>;
  };
  '/conversations/{id}/messages/at': { get: Op<{ seq: number }, Id & { query: { time: Millis } }> };
  '/conversations/{id}/messages/{seq}': {
    get: Op<Message, IdSeq>;
    patch: Op<Message, IdSeq & { body: { body: Body; mentions?: Uuid[] } }>;
  };
  '/conversations/{id}/messages/{seq}/recall': { post: Op<Message, IdSeq> };
  '/conversations/{id}/messages/{seq}/reactions/{emoji}': {
    put: Op<Reaction, { path: { id: Uuid; seq: number; emoji: string } }>;
    delete: Op<Reaction, { path: { id: Uuid; seq: number; emoji: string } }>;
  };
  '/conversations/{id}/messages/{seq}/receipts': {
    get: Op<Receipts, IdSeq & { query: { state: 'read' | 'unread'; cursor?: string; limit?: number } }>;
  };
  '/conversations/{id}/cursors': { get: Op<{ items: MemberCursor[] }, Id> };
  '/cursors': {
    put: Op<{ items: (Cursor & { conversation: Uuid })[] }, { body: { cursors: CursorMove[] } }>;
  };
  '/conversations/{id}/preferences': { put: Op<unknown, Id & { body: Partial<Preferences> }> };
  '/conversations/{id}/draft': { put: Op<unknown, Id & { body: { text: string } }> };
}

/**
 * Short names for the frames and events of the realtime protocol (docs/realtime.md); they are generated (`realtime.d.ts`)
 * from what the server makes its events of.
 */
import type { components } from './realtime';

type Schemas = components['schemas'];

/** A stream is `kind:id`. */
export type StreamKind = keyof Schemas extends infer K ? (K extends `stream.${infer Kind}` ? Kind : never) : never;

export type ConversationStreamEvent = Schemas['stream.conversation'];
export type PersonStreamEvent = Schemas['stream.person'];
export type OrgStreamEvent = Schemas['stream.org'];

export type MessageEvent = Schemas['event.conversation.message'];
export type ReactionsEvent = Schemas['event.conversation.reactions'];
export type MemberEvent = Schemas['event.conversation.member'];
export type ConversationEvent = Schemas['event.conversation.conversation'];
export type AcksEvent = Schemas['event.conversation.acks'];

type Wire = Schemas['server'];
type Of<T extends Wire['t']> = Extract<Wire, { t: T }>;

/** What a stream carries is known by its kind, which its name begins with. */
interface Carried {
  events: unknown[];
  /** What each event carries beside its JSON, for a message that came as a binary one. */
  bytes?: Uint8Array[];
}
export type Frame = Omit<Of<'frame'>, 'events' | 'sizes'> & Carried;
export type CatchUp = Omit<Of<'catch_up'>, 'events' | 'sizes'> & Carried;
/** Bytes that another follower of the stream passed on; nothing is kept of them. */
export type Passed = Of<'passed'> & { bytes: Uint8Array };
export type Resync = Of<'resync'>;
export type Welcome = Of<'welcome'>;
export type Ephemeral = Of<'typing' | 'receipts' | 'presence' | 'touched'>;

/** As the socket hands it on: what came as a binary message with its bytes. */
export type ServerMessage = Exclude<Wire, { t: 'frame' | 'catch_up' | 'passed' }> | Frame | CatchUp | Passed;
export type ClientMessage = Schemas['client'];
export type Resume = Schemas['gateway.Resume'];

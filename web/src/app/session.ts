/** Begins and ends what runs while someone is signed in: cache, outbox, realtime, and the stores they fill. */
import { ask, client, onUnauthenticated } from '~/api/client';
import type { ConversationStreamEvent, PersonStreamEvent, Resume } from '~/api/events';
import { FRIENDS, NOTICES, OWN_REQUESTS } from '~/api/query';
import type { Org, User } from '~/api/types';
import { inUse } from '~/core/attention';
import { learnServerTime } from '~/core/clock';
import { CursorMoves } from '~/core/cursors';
import {
  type Cache,
  dropAside,
  dropCache,
  dropOutbox,
  memoryOutboxStore,
  openCache,
  openOutboxStore,
  type Place,
  putAside,
  readAside,
} from '~/core/db';
import { doNow } from '~/core/later';
import { setLifecycle } from '~/core/lifecycle';
import { Outbox } from '~/core/outbox';
import { endPush } from '~/core/pwa';
import { Realtime, type StreamHandler, type TabMessage } from '~/core/realtime';
import { connection } from '~/core/store/connection';
import { forgetPeople, keepPeople, learnPeople } from '~/core/store/people';
import { session } from '~/core/store/session';
import { openTabs } from '~/core/tabs';
import { uuidv7 } from '~/core/uuid';
import { onWatch } from '~/core/watch';
import * as chatSlice from '~/features/chat';
import * as directorySlice from '~/features/directory';
import { queries } from './queries';
import { Touched } from './touched';

interface Running {
  place: Place;
  shared: boolean;
  cache: Cache | undefined;
  outbox: Outbox;
  realtime: Realtime;
  cursors: CursorMoves;
  personRev: number | undefined;
}

let running: Running | undefined;

const touched = new Touched(queries);

const LAST = 'magpie:last';

/** So long what is kept here may be shown without the server having been heard: access may have ended since. */
const SHOWN_ALONE_MS = 7 * 86_400_000;

/** Who was signed in here last: enough to paint from the cache before the server has answered. */
function readLast(): Place | undefined {
  try {
    const last = JSON.parse(localStorage.getItem(LAST) ?? 'null') as Place | null;
    return last?.host === location.host ? last : undefined;
  } catch {
    return undefined;
  }
}

function writeLast(place: Place | undefined): void {
  try {
    if (place) localStorage.setItem(LAST, JSON.stringify(place));
    else localStorage.removeItem(LAST);
  } catch {
    // Without storage the next load asks the server first.
  }
}

export async function boot(): Promise<void> {
  setLifecycle({
    begin: (user, mine) => begin(user, { shared: mine.shared }),
    end: signOut,
    unsent: () => running?.outbox.size ?? 0,
    reconnect: () => running?.realtime.wake(),
  });
  onUnauthenticated(() => void endedElsewhere());
  const fromServer = readServerAndMe();
  const last = readLast();
  if (last) {
    const painted = await paintFrom(last);
    if (painted) return;
  }
  await fromServer;
}

/** Starts from what the device keeps; true if there was enough to show. */
async function paintFrom(last: Place): Promise<boolean> {
  const cache = await openCache(last);
  const me = (await cache?.get('kv', 'me').catch(() => undefined)) as User | undefined;
  if (!cache || !me || running) return false;
  const contact = await cache.get('kv', 'contact').catch(() => undefined);
  if (typeof contact === 'number' && Date.now() - contact > SHOWN_ALONE_MS) return false;
  await begin(me, { epoch: last.epoch, cache });
  return true;
}

async function readServerAndMe(): Promise<void> {
  try {
    const server = await ask(client.GET('/server'));
    learnServerTime(server.server_time);
    session.setState({ server });
    const { user, session: mine } = await ask(client.GET('/me'));
    await beginning;
    if (running && running.place.person !== user.id) await purge();
    if (running) session.setState({ me: user });
    else await begin(user, { epoch: server.epoch, shared: mine.shared });
  } catch {
    // Refused: `endedElsewhere` has run. No answer: what was painted stays, else there is nothing to show.
    if (session.getState().status === 'starting') {
      session.setState({ status: session.getState().server ? 'anonymous' : 'unreachable' });
    }
  }
}

interface Beginning {
  epoch?: string;
  /** Opened already. */
  cache?: Cache;
  /** On a shared computer nothing is kept. */
  shared?: boolean;
}

let beginning: Promise<void> | undefined;

/** The device and the server both say who is signed in: whoever comes second waits for the first. */
function begin(me: User, how: Beginning): Promise<void> {
  beginning ??= beginFor(me, how).finally(() => {
    beginning = undefined;
  });
  return beginning;
}

async function beginFor(me: User, { epoch, cache: opened, shared = false }: Beginning): Promise<void> {
  if (running) return;
  const place: Place = {
    host: location.host,
    epoch: epoch ?? session.getState().server?.epoch ?? '',
    person: me.id,
  };
  const [cache, store] = shared
    ? [undefined, memoryOutboxStore()]
    : await Promise.all([opened ?? openCache(place), openOutboxStore(place, chatSlice.makeRoom)]);
  if (running) return;
  const tabs = openTabs<TabMessage>(`magpie:${place.host}:${place.person}`);
  const outbox = new Outbox({
    store,
    send: (row) => {
      const { conversation, order: _, created_at: __, failed: ___, ...message } = row;
      const params = { path: { id: conversation } };
      return ask(client.POST('/conversations/{id}/messages', { params, body: message }));
    },
    changed: chatSlice.putOutbox,
    wrote: () => realtime.outboxWritten(),
    acknowledged: chatSlice.sentMessage,
  });
  const realtime = new Realtime({
    tabs,
    tab: uuidv7(),
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/realtime`,
    epoch: () => running?.place.epoch,
    resume,
    stateChanged(state) {
      connection.setState({ state });
      if (state === 'ended') void endedElsewhere();
    },
    ephemeral(message) {
      if (message.t === 'touched') touched.signal(message);
      if (message.t === 'touched' && message.kind === 'notification' && inUse()) answer(message.id);
      chatSlice.ephemeral(message);
    },
    resumed,
    newEpoch: (next) => void changeEpoch(next),
    sessionLives,
    other(message) {
      if (message.k === 'signed_out') void purge().then(leave);
      if (message.k === 'outbox') void outbox.load().then(() => outbox.run());
      if (message.k === 'outbox_changed') void outbox.load();
    },
    leading: () => void outbox.load().then(() => outbox.run()),
  });
  const cursors = new CursorMoves(chatSlice.putMoves);
  running = { place, shared, cache, outbox, realtime, cursors, personRev: undefined };
  connection.setState({ state: 'connecting' });
  learnPeople([me]);
  await startStores(running, me);
  chatSlice.setServices({ realtime, outbox, cursors, cache });
  realtime.handle('conversation', waitingToo(chatSlice.conversationHandler));
  realtime.handle('person', personHandler);
  realtime.handle(
    'org',
    directorySlice.orgHandler(queries, (org) => chatSlice.setMembers(org.all_staff, undefined)),
  );
  session.setState({ status: 'signed_in', me, endedElsewhere: false });
  if (!shared) writeLast(place);
  await outbox.load();
  realtime.start();
  onWatch((watch) => realtime.want({ watch }));
  directorySlice.readOrgs().catch(() => undefined);
}

/** Fills the stores from the device and sees to it that changes are kept. */
async function startStores({ cache, shared, place }: Running, me: User): Promise<void> {
  if (cache) {
    const [people, orgs, rev] = await Promise.all([
      cache.getAll('people'),
      cache.get('kv', 'orgs'),
      cache.get('kv', 'person_rev'),
    ]);
    learnPeople(people);
    if (Array.isArray(orgs)) directorySlice.putOrgs(orgs as Org[]);
    if (running && typeof rev === 'number') running.personRev = rev;
    keepPeople((users) => {
      const tx = cache.transaction('people', 'readwrite');
      for (const user of users) void tx.store.put(user);
      tx.done.catch(() => undefined);
    });
    await cache.put('kv', me, 'me').catch(() => undefined);
  }
  await chatSlice.startCache(cache, () => ({
    orgs: Object.values(directorySlice.directory.getState().orgs),
    ...(connection.getState().state === 'live' ? { contact: Date.now() } : {}),
    ...(running?.personRev === undefined ? {} : { person_rev: running.personRev }),
  }));
  if (shared) return;
  void readAside(place).then((aside) => {
    if (aside && running?.place.person === place.person)
      chatSlice.restoreDrafts(aside as Record<string, chatSlice.Draft>);
  });
}

/** Whoever is at the page has what waits: no phone need ring. */
function answer(notice: string): void {
  ask(client.POST('/me/notifications/{id}/ack', { params: { path: { id: notice } } })).catch(() => undefined);
}

function resume(): Resume | undefined {
  const point = chatSlice.resumePoint();
  if (!running || running.personRev === undefined || !point) return undefined;
  const orgs = Object.values(directorySlice.directory.getState().orgs);
  return {
    epoch: running.place.epoch,
    person: running.personRev,
    orgs: Object.fromEntries(orgs.map((o) => [o.id, o.rev])),
    ...point,
  };
}

function resumed(caughtUp: boolean, personRev: number | undefined): void {
  if (caughtUp) {
    chatSlice.chat.setState({ list: 'server', listFailed: false });
    chatSlice.catchUpTimelines();
  } else {
    // What is read from here on holds everything up to there.
    if (running && personRev !== undefined) running.personRev = Math.max(personRev, running.personRev ?? 0);
    void chatSlice.readConversations();
    void directorySlice.readOrgs().catch(() => undefined);
  }
  touched.back();
  running?.outbox.nudge();
  // The session is a living one: what was put aside has been given back, and is kept with all other drafts.
  if (running && !running.shared) void dropAside(running.place);
}

/** What a conversation tells may be something that waits for one. */
function waitingToo(handler: StreamHandler): StreamHandler {
  const tell = (values: unknown[]) =>
    touched.conversation(values as ConversationStreamEvent[], session.getState().me?.id);
  return {
    ...handler,
    apply(id, rev, values) {
      handler.apply(id, rev, values);
      tell(values);
    },
    catchUp(id, from, rev, values) {
      handler.catchUp(id, from, rev, values);
      tell(values);
    },
  };
}

/** One's own stream: each slice takes the events it knows. */
const personHandler: StreamHandler = {
  known: () => running?.personRev,
  first: applyPerson,
  apply: applyPerson,
  catchUp: (id, _from, rev, events) => applyPerson(id, rev, events),
  resync() {
    if (running) running.personRev = undefined;
    void chatSlice.readConversations();
    void directorySlice.readOrgs().catch(() => undefined);
  },
};

function applyPerson(_id: string, rev: number, events: unknown[]): void {
  if (running) running.personRev = Math.max(rev, running.personRev ?? 0);
  for (const value of events) {
    const event = value as PersonStreamEvent;
    touched.person(event);
    if (event.kind === 'membership') void directorySlice.readOrgs().catch(() => undefined);
    else if (event.kind === 'profile') {
      session.setState({ me: { ...session.getState().me, ...event.user } });
      learnPeople([event.user]);
    } else if (event.kind === 'notice') void queries.invalidateQueries({ queryKey: NOTICES });
    else if (event.kind === 'friend') void queries.invalidateQueries({ queryKey: FRIENDS });
    else if (event.kind === 'join_request') void queries.invalidateQueries({ queryKey: OWN_REQUESTS });
    else chatSlice.personEvent(event);
  }
}

async function sessionLives(): Promise<boolean> {
  try {
    await ask(client.GET('/me'));
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'unauthenticated';
  }
}

/** The server was restored: everything but the outbox and what is being written is read anew. */
async function changeEpoch(epoch: string | undefined): Promise<void> {
  if (!running) return;
  const now = running;
  const next = epoch ?? (await ask(client.GET('/server')).catch(() => undefined))?.epoch ?? now.place.epoch;
  chatSlice.stopCache();
  now.cache?.close();
  await dropCache(now.place);
  const { drafts, outbox } = chatSlice.chat.getState();
  chatSlice.forgetChat();
  chatSlice.chat.setState({ drafts, outbox });
  now.place = { ...now.place, epoch: next };
  now.personRev = undefined;
  now.cache = now.shared ? undefined : await openCache(now.place);
  if (!now.shared) writeLast(now.place);
  const me = session.getState().me;
  if (me) await startStores(now, me);
  chatSlice.setServices({ ...now });
  await Promise.all([chatSlice.readConversations(), directorySlice.readOrgs().catch(() => undefined)]);
  now.outbox.nudge();
}

/** One's own sign-out is under way: the server may close the socket before the answer is here. */
let leaving = false;

async function endedElsewhere(): Promise<void> {
  if (leaving) return;
  const was = session.getState().status;
  // Nobody meant to throw away what was being written.
  const drafts = chatSlice.unsaidDrafts();
  if (running && !running.shared && Object.keys(drafts).length > 0) await putAside(running.place, drafts);
  await purge({ keepOutbox: true });
  // Said once, it holds: refusals of what was still under way follow.
  const { endedElsewhere: said } = session.getState();
  session.setState({ status: 'anonymous', me: undefined, endedElsewhere: said || was === 'signed_in' });
}

async function signOut(): Promise<void> {
  leaving = true;
  try {
    await doNow();
    await ask(client.DELETE('/sessions/current'));
    running?.realtime.signedOut();
    await purge();
    leave();
  } finally {
    leaving = false;
  }
}

function leave(): void {
  session.setState({ status: 'anonymous', me: undefined, endedElsewhere: false });
}

/** The barrier: nothing is sent, shown or kept after it. */
async function purge({ keepOutbox = false } = {}): Promise<void> {
  writeLast(undefined);
  const was = running;
  running = undefined;
  chatSlice.setServices(undefined);
  chatSlice.stopCache();
  keepPeople(() => {});
  was?.cursors.stop();
  was?.outbox.close();
  was?.realtime.stop();
  was?.cache?.close();
  chatSlice.forgetChat();
  chatSlice.forgetDrafts();
  directorySlice.forgetDirectory();
  forgetPeople();
  queries.clear();
  if (!was) return;
  await endPush();
  await dropCache(was.place);
  if (!keepOutbox) await dropOutbox(was.place);
}

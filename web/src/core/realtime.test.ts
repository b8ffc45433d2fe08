import { expect, test } from 'vitest';
import type { ClientMessage } from '~/api/events';
import { message } from './binary.fixtures';
import { Realtime, type RealtimeOptions, type StreamHandler, type TabMessage } from './realtime';
import type { Tabs } from './tabs';

/** Tabs of one browser, without a browser: messages are delivered at once. */
function browser() {
  const listeners: ((m: TabMessage) => void)[] = [];
  const waiting: (() => void)[] = [];
  let led = false;
  return (): Tabs<TabMessage> => {
    let mine: ((m: TabMessage) => void) | undefined;
    let leads = false;
    return {
      shared: true,
      lead(won) {
        const take = () => {
          leads = true;
          won();
        };
        if (led) waiting.push(take);
        else {
          led = true;
          take();
        }
      },
      post: (m) => {
        for (const l of listeners) if (l !== mine) l(m);
      },
      listen: (l) => {
        mine = l;
        listeners.push(l);
      },
      close: () => {
        if (mine) listeners.splice(listeners.indexOf(mine), 1);
        if (leads) waiting.shift()?.();
      },
    };
  };
}

class Wire {
  sent: ClientMessage[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {}
  say(m: unknown) {
    this.onmessage?.({ data: JSON.stringify(m) });
  }
  sayBytes(header: unknown, payload: number[]) {
    this.onmessage?.({ data: message(header, payload) });
  }
  begin() {
    this.onopen?.();
    this.say({ t: 'welcome', api: 1, epoch: 'e', user: 'u', session: 's', server_time: 0, ping_ms: 25_000 });
    this.say({ t: 'resumed', streams: 0 });
  }
  asked(t: string) {
    return this.sent.filter((m) => m.t === t);
  }
}

function tab(tabs: Tabs<TabMessage>, name: string) {
  const wires: Wire[] = [];
  let known = 10;
  const applied: number[] = [];
  const carried: unknown[] = [];
  const handler: StreamHandler = {
    known: () => known,
    apply: (_id, rev, _events, bytes) => {
      known = rev;
      applied.push(rev);
      if (bytes) carried.push(bytes.map((part) => [...part]));
    },
    catchUp: (_id, _from, rev, _events, bytes) => {
      known = Math.max(known, rev);
      applied.push(rev);
      if (bytes) carried.push(bytes.map((part) => [...part]));
    },
    passed: (id, user, bytes) => carried.push([id, user, ...bytes]),
    resync: () => {
      applied.push(-1);
    },
  };
  const options: RealtimeOptions = {
    tabs,
    tab: name,
    url: 'ws://x',
    epoch: () => 'e',
    resume: () => undefined,
    stateChanged: () => {},
    ephemeral: () => {},
    resumed: () => {},
    newEpoch: () => applied.push(-2),
    sessionLives: async () => true,
    other: () => {},
    leading: () => {},
    createSocket: () => {
      const wire = new Wire();
      wires.push(wire);
      return wire as unknown as WebSocket;
    },
  };
  const realtime = new Realtime(options);
  realtime.handle('conversation', handler);
  realtime.start();
  return { realtime, applied, carried, wire: () => wires[wires.length - 1] as Wire };
}

const frame = (rev: number) => ({ t: 'frame', stream: 'conversation:c', rev, events: [] });

test('applies the next, drops the known, asks for the missing once', () => {
  const { wire, applied } = tab(browser()(), 'a');
  wire().begin();
  wire().say(frame(11));
  wire().say(frame(11));
  wire().say(frame(9));
  wire().say(frame(14));
  wire().say(frame(15));
  expect(applied).toEqual([11]);
  expect(wire().asked('catch_up')).toEqual([{ t: 'catch_up', stream: 'conversation:c', rev: 11 }]);
  wire().say({ t: 'catch_up', stream: 'conversation:c', from: 11, rev: 15, more: false, events: [] });
  wire().say(frame(16));
  expect(applied).toEqual([11, 15, 16]);
});

test('a catch-up from beyond what is known is asked for again from there', () => {
  const { wire, applied } = tab(browser()(), 'a');
  wire().begin();
  wire().say({ t: 'catch_up', stream: 'conversation:c', from: 12, rev: 20, more: false, events: [] });
  expect(applied).toEqual([]);
  expect(wire().asked('catch_up')).toEqual([{ t: 'catch_up', stream: 'conversation:c', rev: 10 }]);
});

test('resync and another epoch forget', () => {
  const { wire, applied } = tab(browser()(), 'a');
  wire().begin();
  wire().say({ t: 'resync', stream: 'conversation:c', reason: 'too_far' });
  wire().say({ t: 'resync', stream: '*', reason: 'epoch' });
  expect(applied).toEqual([-1, -2]);
});

test('followers receive by the leader, ask through it, and one of them takes over', () => {
  const join = browser();
  const leader = tab(join(), 'a');
  leader.wire().begin();
  const follower = tab(join(), 'b');
  expect(follower.realtime.leads).toBe(false);
  leader.wire().say(frame(11));
  leader.wire().say(frame(13));
  expect(follower.applied).toEqual([11]);
  leader.realtime.want({ open: ['x'], watch: ['p'] });
  follower.realtime.want({ open: ['y'], watch: ['q'] });
  expect(
    leader
      .wire()
      .asked('open')
      .map((m) => 'conversation' in m && m.conversation),
  ).toEqual(['x', 'y']);
  expect(leader.wire().asked('watch').pop()).toEqual({ t: 'watch', users: ['p', 'q'] });
  leader.realtime.stop();
  expect(follower.realtime.leads).toBe(true);
  follower.wire().begin();
  expect(follower.wire().asked('open')).toEqual([{ t: 'open', conversation: 'y' }]);
});

test('bytes follow the same rule and reach the handler of the stream, in every tab', () => {
  const join = browser();
  const leader = tab(join(), 'a');
  leader.wire().begin();
  const follower = tab(join(), 'b');
  const wire = leader.wire();
  const binary = (rev: number) => ({ ...frame(rev), events: [{}, {}], sizes: [2, 1] });
  wire.sayBytes(binary(11), [1, 2, 3]);
  wire.sayBytes(binary(11), [9, 9, 9]);
  wire.sayBytes(binary(13), [9, 9, 9]);
  const catchUp = { t: 'catch_up', stream: 'conversation:c', from: 11, rev: 13, more: false, events: [{}], sizes: [1] };
  wire.sayBytes(catchUp, [4]);
  wire.sayBytes({ t: 'passed', stream: 'conversation:c', user: 'u' }, [5]);
  wire.sayBytes({ t: 'passed', stream: 'document:d', user: 'u' }, [6]);
  for (const { applied, carried } of [leader, follower]) {
    expect(applied).toEqual([11, 13]);
    expect(carried).toEqual([[[1, 2], [3]], [[4]], ['c', 'u', 5]]);
  }
});

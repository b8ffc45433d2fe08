import { expect, test } from 'vitest';
import { decodeBinary } from './binary';
import { message } from './binary.fixtures';

const frame = (more: object) => ({ t: 'frame', stream: 'conversation:c', rev: 11, ...more });

test('gives each event the bytes that it carries', () => {
  const data = message(frame({ events: [{ a: '你' }, {}, {}], sizes: [2, 0, 3] }), [1, 2, 3, 4, 5]);
  expect(decodeBinary(data)).toEqual(
    frame({ events: [{ a: '你' }, {}, {}], bytes: [[1, 2], [], [3, 4, 5]].map((part) => new Uint8Array(part)) }),
  );
});

test('reads the very bytes that the server writes', () => {
  // As in crates/proto/src/binary.rs.
  const data = new Uint8Array([1, 0, 0, 0, 9, ...new TextEncoder().encode('{"t":"x"}'), 0xff, 0]);
  expect(decodeBinary(data.buffer)).toEqual({ t: 'x' });
});

test('takes nothing from what it cannot read', () => {
  const good = new Uint8Array(message(frame({ events: [{}], sizes: [1] }), [7]));
  expect(decodeBinary(good.buffer)).toBeDefined();
  const later = good.slice();
  later[0] = 2;
  const cut = good.slice(0, -1);
  const bad: ArrayBuffer[] = [
    new ArrayBuffer(0),
    new ArrayBuffer(4),
    later.buffer,
    cut.buffer,
    new Uint8Array([1, 0xff, 0xff, 0xff, 0xff, 0]).buffer,
    new Uint8Array([1, 0, 0, 0, 1, 0xff]).buffer,
    message(frame({ events: [{}] }), [7]),
    message(frame({ events: [{}], sizes: [1, 1] }), [7, 7]),
    message(frame({ events: [{}], sizes: [2] }), [7]),
    message(frame({ events: [{}], sizes: [0] }), [7]),
    message([], []),
  ];
  for (const data of bad) expect(decodeBinary(data)).toBeUndefined();
});

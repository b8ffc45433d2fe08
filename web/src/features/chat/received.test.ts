import { expect, test } from 'vitest';
import { asksForReceived, isReceived } from './received';
import { ME, message } from './testing';

test.each(['收到', '收到！', '收到，谢谢老师', '好的收到', '已收到。', '谢谢老师', '知悉', 'Received', 'got it 👌'])(
  '%s says no more than the key',
  (text) => expect(isReceived(text)).toBe(true),
);

test.each(['收到了两个包裹', '请大家收到后回复', '没收到', '', '收到，明天几点？', '好的'])(
  '%s says something of its own',
  (text) => expect(isReceived(text)).toBe(false),
);

test('it means the newest near message of others that asks and was not answered', () => {
  const asks = (seq: number, more = {}) => message(seq, { ack: true, ...more });
  expect(asksForReceived([message(1)], ME)).toBeUndefined();
  expect(asksForReceived([asks(1), asks(2), message(3)], ME)?.seq).toBe(2);
  expect(asksForReceived([asks(1), asks(2, { acks: { count: 1, me: true } })], ME)?.seq).toBe(1);
  expect(asksForReceived([asks(1, { sender: { kind: 'person', id: ME } })], ME)).toBeUndefined();
  expect(asksForReceived([asks(1, { body: null })], ME)).toBeUndefined();
  const later = Array.from({ length: 30 }, (_, i) => message(i + 2));
  expect(asksForReceived([asks(1), ...later], ME)).toBeUndefined();
});

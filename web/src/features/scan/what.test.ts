import { expect, test } from 'vitest';
import { whatIs } from './what';

const here = ['talk.example', '10.0.0.5:8080'];
const of = (text: string) => whatIs(text, here);

test.each([
  ['https://talk.example/join/abc123', { kind: 'join', code: 'abc123', display: 'abc123' }],
  [' http://10.0.0.5:8080/join/abc123?from=poster ', { kind: 'join', code: 'abc123', display: 'abc123' }],
  ['7f3k-9Q2M', { kind: 'join', code: '7f3k9q2m', display: '7F3K-9Q2M' }],
  ['https://talk.example/link/Zx-9', { kind: 'link', code: 'Zx-9' }],
  ['https://talk.example/u/me_1', { kind: 'person', code: 'me_1' }],
  ['https://talk.example/card/10023', { kind: 'card', login: '10023' }],
  ['https://talk.example/g/0123-4567-89ab-cdef', { kind: 'guest', code: '0123-4567-89ab-cdef' }],
])('%s is known', (text, expected) => {
  expect(of(text)).toEqual(expected);
});

test('the same address of another server leads nowhere here', () => {
  expect(of('https://evil.example/link/abc')).toEqual({
    kind: 'elsewhere',
    host: 'evil.example',
    text: 'https://evil.example/link/abc',
  });
});

test('a guest link of another server is not opened here', () => {
  expect(of('https://evil.example/g/0123456789abcdef').kind).toBe('elsewhere');
});

test.each([
  'https://talk.example/settings',
  'https://talk.example@evil.example/join/abc',
  'https://talk.example/join/a%2F..%2F..',
  'https://talk.example/join/abc/more',
  'javascript:alert(1)//talk.example/join/abc',
  'weixin://dl/business',
  'WIFI:S:office;P:secret;;',
  '',
])('%s stays a text', (text) => {
  expect(of(text).kind).toBe('text');
});

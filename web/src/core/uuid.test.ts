import { expect, test } from 'vitest';
import { uuidv7 } from './uuid';

test('has version and variant, and sorts by time', () => {
  const a = uuidv7(1_795_000_000_000);
  const b = uuidv7(1_795_000_000_001);
  expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(a < b).toBe(true);
  expect(Number.parseInt(a.replaceAll('-', '').slice(0, 12), 16)).toBe(1_795_000_000_000);
});

test('two of the same moment differ', () => {
  expect(uuidv7(5)).not.toBe(uuidv7(5));
});

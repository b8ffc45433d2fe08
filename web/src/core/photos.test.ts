import { expect, test } from 'vitest';
import { asJpeg, isHeavy, lighter, moves, PHOTO_BYTES, within } from './photos';

const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const file = (name: string, type: string, size: number) => new File([new Uint8Array(size)], name, { type });

test('what is small, drawn by vectors or no picture is not looked at', () => {
  expect(isHeavy(file('a.jpg', 'image/jpeg', PHOTO_BYTES))).toBe(false);
  expect(isHeavy(file('a.jpg', 'image/jpeg', PHOTO_BYTES + 1))).toBe(true);
  expect(isHeavy(file('a.gif', 'image/gif', 10 * PHOTO_BYTES))).toBe(false);
  expect(isHeavy(file('a.pdf', 'application/pdf', 10 * PHOTO_BYTES))).toBe(false);
});

test('pictures that move are known by their first bytes, each kind by its own', () => {
  expect(moves('image/png', bytes('\x89PNG....IHDR....acTL'))).toBe(true);
  expect(moves('image/webp', bytes('RIFF\x10\x00\x00\x00WEBPVP8X....ANIM'))).toBe(true);
  expect(moves('image/avif', bytes('\0\0\0\x20ftypavis'))).toBe(true);
  expect(moves('image/avif', bytes('\0\0\0\x20ftypavif'))).toBe(false);
  expect(moves('image/jpeg', bytes('Exif by ANIMAL acTL'))).toBe(false);
});

test('it is named as what it became', () => {
  expect(asJpeg('IMG_0001.HEIC')).toBe('IMG_0001.jpg');
  expect(asJpeg('照片.jpeg')).toBe('照片.jpeg');
  expect(asJpeg('a.b.png')).toBe('a.b.jpg');
  expect(asJpeg('photo')).toBe('photo.jpg');
});

test('a long picture stays long, and nothing is made larger', () => {
  expect(within(4000, 3000, 3_000_000)).toEqual({ width: 2000, height: 1500 });
  const long = within(1080, 20_000, 5_000_000);
  expect(long.height / long.width).toBeCloseTo(20_000 / 1080, 1);
  expect(within(30, 20, 5_000_000)).toEqual({ width: 30, height: 20 });
});

test('what cannot be read goes as it is', async () => {
  const broken = file('broken.jpg', 'image/jpeg', 2 * PHOTO_BYTES);
  expect(await lighter(broken)).toBe(broken);
});

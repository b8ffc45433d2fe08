/**
 * Photographs as they are sent unless somebody asks for the original: small, upright, and without what the camera wrote
 * into them. Nothing leaves the device for that; what cannot be read or gains nothing is sent as it is.
 */

/** As large as a photograph may be, in bytes. */
export const PHOTO_BYTES = 400_000;

/** How many pixels, and how well kept (of 1), from the best on. */
const STEPS: readonly (readonly [pixels: number, quality: number])[] = [
  [5_000_000, 0.85],
  [5_000_000, 0.7],
  [3_200_000, 0.75],
  [3_200_000, 0.6],
  [2_000_000, 0.7],
  [1_300_000, 0.65],
  [800_000, 0.6],
  [400_000, 0.5],
];

const STILL = /^image\/(jpeg|png|webp|avif|heic|heif|bmp)$/;
/** A drawing or a screenshot is about as large in either form; a photograph is many times larger as PNG. */
const PHOTO_RATIO = 4;
const HEAD_BYTES = 4_096;
/** A screenshot of a whole page, or a panorama: so many times longer than wide, fewer pixels leave nothing to read. */
const LONG = 3;

const MOVING: Readonly<Record<string, RegExp>> = {
  'image/png': /acTL/,
  'image/webp': /^RIFF[\s\S]{4}WEBPVP8X[\s\S]*ANIM/,
  'image/avif': /^[\s\S]{4}ftypavis/,
  'image/heic': /^[\s\S]{4}ftyp(hevc|hevx)/,
  'image/heif': /^[\s\S]{4}ftypmsf1/,
};

/** Whether the first bytes are of a picture that moves: one frame of it would not be it. */
export function moves(type: string, head: Uint8Array): boolean {
  return MOVING[type]?.test(String.fromCharCode(...head)) ?? false;
}

/** Its name as JPEG. */
export function asJpeg(name: string): string {
  return /\.jpe?g$/i.test(name) ? name : `${name.replace(/\.(png|webp|avif|hei[cf]|bmp)$/i, '')}.jpg`;
}

/** The width and height in which a picture has no more than so many pixels. */
export function within(width: number, height: number, pixels: number): { width: number; height: number } {
  const scale = Math.min(1, Math.sqrt(pixels / (width * height)));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Whether it is worth looking at: a picture that stands still and is larger than it should be. */
export const isHeavy = (file: File): boolean => file.size > PHOTO_BYTES && STILL.test(file.type);

/** The photograph made small; the file itself where it is small already, moves, is drawn or cannot be read. */
export async function lighter(file: File): Promise<File> {
  if (!isHeavy(file)) return file;
  try {
    if (moves(file.type, await headOf(file))) return file;
    return (await drawn(file)) ?? file;
  } catch {
    return file;
  }
}

async function headOf(file: File): Promise<Uint8Array> {
  // Blob.arrayBuffer is younger than some of the browsers this runs on.
  return new Uint8Array(await new Response(file.slice(0, HEAD_BYTES)).arrayBuffer());
}

async function drawn(file: File): Promise<File | undefined> {
  const address = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    // An <img> knows how the camera was held, which an ImageBitmap does not everywhere.
    const { naturalWidth: width, naturalHeight: height } = picture;
    if (Math.max(width, height) > LONG * Math.min(width, height) || !drawsTrue()) return undefined;
    const made = await smallest(picture, width, height, file);
    if (!made || made.size >= file.size) return undefined;
    return new File([made], asJpeg(file.name), { type: 'image/jpeg', lastModified: file.lastModified });
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function smallest(picture: HTMLImageElement, width: number, height: number, file: File) {
  const exact = /^image\/(png|webp|avif|bmp)$/.test(file.type);
  if (exact && seeThrough(picture)) return undefined;
  let made: Blob | undefined;
  let canvas: HTMLCanvasElement | undefined;
  for (let i = 0; i < STEPS.length; i += 1) {
    const [pixels, quality] = STEPS[i] as (typeof STEPS)[number];
    const size = within(width, height, pixels);
    if (canvas?.width !== size.width) {
      letGo(canvas);
      canvas = paint(picture, size.width, size.height);
    }
    made = await encode(canvas, quality);
    if (i === 0 && file.type === 'image/png' && made.size * PHOTO_RATIO > file.size) {
      made = undefined;
      break;
    }
    if (made.size <= PHOTO_BYTES) break;
    // One step never makes it three times smaller.
    if (made.size > 3 * PHOTO_BYTES) i = Math.min(i + 1, STEPS.length - 2);
  }
  letGo(canvas);
  return made;
}

function paint(picture: HTMLImageElement, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** Some browsers keep the memory of a canvas long after it. */
function letGo(canvas: HTMLCanvasElement | undefined): void {
  if (canvas) canvas.width = canvas.height = 0;
}

function encode(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/jpeg', quality),
  );
}

/** Some browsers hand out noise or white in place of what was drawn, so that no page can tell them by it. */
function drawsTrue(): boolean {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 2;
  const context = canvas.getContext('2d');
  if (!context) return false;
  context.fillStyle = '#204060';
  context.fillRect(0, 0, 2, 2);
  const { data } = context.getImageData(0, 0, 2, 2);
  letGo(canvas);
  return data.every((value, i) => Math.abs(value - ([32, 64, 96, 255][i % 4] ?? 0)) <= 8);
}

const SAMPLE = 64;

/** JPEG has no glass: what one sees through must stay as it is. */
function seeThrough(picture: HTMLImageElement): boolean {
  const canvas = paint(picture, SAMPLE, SAMPLE);
  const pixels = canvas.getContext('2d')?.getImageData(0, 0, SAMPLE, SAMPLE).data ?? [];
  letGo(canvas);
  for (let i = 3; i < pixels.length; i += 4) if ((pixels[i] ?? 255) < 250) return true;
  return false;
}

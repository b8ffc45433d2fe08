/** Reads QR codes from pictures: by the browser where it can, else by a decoder that is loaded when it is first needed. */

interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** Longest side, in pixels: enough for a code that fills a tenth of the picture. */
const LARGE = 1_600;
const SMALL = 800;

let own: Promise<Detector | undefined> | undefined;

async function find(): Promise<Detector | undefined> {
  const known = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  try {
    if (known && (await known.getSupportedFormats()).includes('qr_code')) return new known({ formats: ['qr_code'] });
  } catch {
    // A browser that has the name and not the thing.
  }
  return undefined;
}

type Source = HTMLVideoElement | HTMLImageElement | ImageBitmap;

const sizeOf = (source: Source): [number, number] =>
  source instanceof HTMLVideoElement
    ? [source.videoWidth, source.videoHeight]
    : source instanceof HTMLImageElement
      ? [source.naturalWidth, source.naturalHeight]
      : [source.width, source.height];

function pixels(source: Source, longest: number): ImageData | undefined {
  const [width, height] = sizeOf(source);
  if (!width || !height) return undefined;
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return undefined;
  // A code drawn on nothing is dark on nothing: give it paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function byLibrary(source: Source, longest: number, timeLimit: number): Promise<string | undefined> {
  const image = pixels(source, longest);
  if (!image) return undefined;
  const { default: decodeQR } = await import('qr/decode.js');
  try {
    return decodeQR(image, { timeLimit });
  } catch {
    // Its way of saying that there is none.
    return undefined;
  }
}

async function byBrowser(source: Source): Promise<string | undefined> {
  own ??= find();
  const detector = await own;
  try {
    return (await detector?.detect(source))?.[0]?.rawValue || undefined;
  } catch {
    return undefined;
  }
}

/** One look at a camera's picture; quick, because the next one comes at once. */
export const readFrame = async (video: HTMLVideoElement): Promise<string | undefined> => {
  own ??= find();
  return (await own) ? byBrowser(video) : byLibrary(video, SMALL, 40);
};

/** The code in a picture somebody chose, or nothing. Takes its time: large first, then small, which forgives noise. */
export async function readPicture(file: Blob): Promise<string | undefined> {
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    return (await byBrowser(image)) ?? (await byLibrary(image, LARGE, 1_500)) ?? (await byLibrary(image, SMALL, 1_500));
  } catch {
    return undefined;
  } finally {
    URL.revokeObjectURL(address);
  }
}

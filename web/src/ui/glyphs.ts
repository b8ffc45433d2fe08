/** Which characters of a text this device has no glyph for. What is printed with boxes in a name is an affront. */

const SIZE = 24;
/** Assigned to nobody: whatever is drawn for it stands for "no glyph". */
const NOBODY = ['\u{10fffd}', '\uffff', '\u{5ffff}'];

type Draw = (char: string) => string | undefined;

function drawer(font: string): Draw {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE * 2;
  canvas.height = SIZE * 2;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return (char) => {
    if (!context) return undefined;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.font = `${SIZE}px ${font}`;
    context.textBaseline = 'top';
    context.fillText(char, 4, 8);
    return context.getImageData(0, 0, canvas.width, canvas.height).data.join();
  };
}

/** Letters that look like what is drawn for nothing, each once. Ordinary characters are not looked at. */
export function missingGlyphs(text: string, font: string, draw: Draw = drawer(font)): string[] {
  const rare = [...new Set(text)].filter((c) => /\p{Script=Han}/u.test(c) && !/[\u4e00-\u9fa5]/.test(c));
  if (rare.length === 0) return [];
  const boxes = new Set(NOBODY.map(draw));
  return rare.filter((c) => {
    const drawn = draw(c);
    return drawn !== undefined && boxes.has(drawn);
  });
}

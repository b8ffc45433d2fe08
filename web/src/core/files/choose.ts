/**
 * Opens the device's chooser; with `camera` its camera, where it has one. With pictures asked for, some phones offer the
 * camera too and others their gallery alone.
 */
export function chooseFiles(accept: string | undefined, chosen: (files: File[]) => void, camera = false): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = !camera;
  input.hidden = true;
  if (accept) input.accept = accept;
  if (camera) input.setAttribute('capture', 'environment');
  const done = () => input.remove();
  input.addEventListener('change', () => {
    chosen(Array.from(input.files ?? []));
    done();
  });
  input.addEventListener('cancel', done);
  // Some browsers forget an input that is in no page before its choice is made.
  document.body.append(input);
  input.click();
}

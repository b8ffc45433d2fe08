/** Opens the device's chooser. With pictures asked for, a phone offers its camera and its gallery. */
export function chooseFiles(accept: string | undefined, chosen: (files: File[]) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.hidden = true;
  if (accept) input.accept = accept;
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

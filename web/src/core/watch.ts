/** Whose presence is shown anywhere on the page: each place says its part, the whole goes to the realtime connection. */
const MAX = 200;
const places = new Map<string, readonly string[]>();
let tell: (users: string[]) => void = () => {};

export function onWatch(listener: (users: string[]) => void): void {
  tell = listener;
  publish();
}

/** Names the people one place shows; the result takes them back. */
export function watchPeople(place: string, users: readonly string[]): () => void {
  places.set(place, users);
  publish();
  return () => {
    if (places.get(place) !== users) return;
    places.delete(place);
    publish();
  };
}

function publish(): void {
  const all = new Set<string>();
  for (const users of places.values()) for (const id of users) if (all.size < MAX) all.add(id);
  tell([...all]);
}

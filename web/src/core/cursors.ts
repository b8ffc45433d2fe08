/** Joins moves of one's own cursors to at most one request in two seconds. Cursors only grow. */
import type { CursorMove } from '~/api/types';

const EVERY_MS = 2_000;

export class CursorMoves {
  private readonly pending = new Map<string, CursorMove>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = Number.NEGATIVE_INFINITY;

  constructor(private readonly put: (moves: CursorMove[]) => Promise<unknown>) {}

  move(move: CursorMove): void {
    this.pending.set(move.conversation, merge(this.pending.get(move.conversation), move));
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.flush(), Math.max(0, this.last + EVERY_MS - Date.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.pending.clear();
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    this.last = Date.now();
    const moves = [...this.pending.values()];
    this.pending.clear();
    try {
      await this.put(moves);
    } catch {
      // Not urgent and repeated with the next move; what the person reads next carries the same place.
      for (const m of moves) this.pending.set(m.conversation, merge(m, this.pending.get(m.conversation)));
    }
  }
}

function merge(a: CursorMove | undefined, b: CursorMove | undefined): CursorMove {
  const larger = (x?: number | null, y?: number | null) => (x == null ? y : y == null ? x : Math.max(x, y));
  const read = larger(a?.read_seq, b?.read_seq);
  const delivered = larger(a?.delivered_seq, b?.delivered_seq);
  return {
    conversation: (a ?? b)?.conversation ?? '',
    ...(read == null ? {} : { read_seq: read }),
    ...(delivered == null ? {} : { delivered_seq: delivered }),
  };
}

import { EventStreamParser } from '../../src/client/event-stream.ts';
import { authorization } from './api.ts';
import { keyCell } from './session.ts';
import { cell } from './signal.ts';

/**
 * The feed of the service, followed for as long as the page is open. `fetch` and not EventSource, because a key goes into a header.
 * It only says that something is new; what is shown is read from the same routes as everything else.
 */
export type Liveness = 'connecting' | 'live' | 'lost';
export const liveness = cell<Liveness>('connecting');

/** An event of the feed. `resumed` is not from there: it says that the line was gone for a while. */
export interface LiveEvent {
  readonly kind: string;
  /** JSON: whoever needs it reads it. */
  readonly data: string;
}

const listeners = new Set<(event: LiveEvent) => void>();
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 15_000;
/** Heartbeats come more often; a line that is silent for so long is dead. */
const SILENT_MILLISECONDS = 45_000;

let lastEventId: string | null = null;

export function onLive(listener: (event: LiveEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Never returns. */
export async function followFeed(): Promise<never> {
  let failures = 0;
  for (;;) {
    const isBegun = await follow().catch(() => false);
    if (isBegun) failures = 0;
    liveness.set('lost');
    const longest = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** failures, LONGEST_PAUSE_MILLISECONDS);
    failures = Math.min(failures + 1, 10);
    await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
  }
}

/** @returns whether anything came before it ended. */
async function follow(): Promise<boolean> {
  const cut = new AbortController();
  // Another key may see more, or nothing.
  const forget = keyCell.listen(() => cut.abort());
  let silence = setTimeout(() => cut.abort(), SILENT_MILLISECONDS);
  let isBegun = false;
  try {
    const headers = { ...authorization(), ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }) };
    const response = await fetch('/v1/stream', { headers, signal: cut.signal });
    if (!response.ok || response.body === null) return false;
    const parser = new EventStreamParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return isBegun;
      clearTimeout(silence);
      silence = setTimeout(() => cut.abort(), SILENT_MILLISECONDS);
      isBegun = true;
      if (liveness.get() !== 'live') {
        liveness.set('live');
        // Whatever happened while nobody listened.
        if (lastEventId !== null) tell({ kind: 'resumed', data: 'null' });
      }
      for (const { id, kind, data } of parser.take(decoder.decode(value, { stream: true }))) {
        if (id !== null) lastEventId = id;
        if (kind !== 'heartbeat') tell({ kind, data });
      }
    }
  } finally {
    clearTimeout(silence);
    forget();
    cut.abort();
  }
}

function tell(event: LiveEvent): void {
  for (const listener of [...listeners]) listener(event);
}

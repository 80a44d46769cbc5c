import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { uninterrupted } from '../thread.ts';
import type { ProposeRequest, TrackQuestion } from './worker-proposer.ts';

/** A worker for tests: the time in the request says what it does. */
export const TIMES = {
  answers: 1,
  hasNothing: 2,
  fails: 3,
  dies: 4,
  ends: 5,
  answersThenDies: 6,
  hangs: 7,
  guards: 8,
  correlates: 9,
  readsForLong: 10,
} as const;

const DEATH_AFTER_MILLISECONDS = 200;
/** Longer than the test's deadline. */
const READING_MILLISECONDS = 7_000;

let requests = 0;

parentPort?.on('message', (request: ProposeRequest | TrackQuestion | null) => {
  if (request === null) {
    parentPort?.close();
    return;
  }
  if ('track' in request) {
    // In place of bars: what arrived. One that is asked for nothing never answers.
    if (request.track.points > 0) parentPort?.postMessage({ track: { bars: request.track, realised: [] } });
    return;
  }
  const { previous, now } = request;
  requests++;
  // In place of a book: who answered, and what arrived.
  const book = { threadId, requests, workerData, previous };
  if (now === TIMES.answers || now === TIMES.answersThenDies) {
    parentPort?.postMessage({ proposal: { book, facts: {} } });
  }
  if (now === TIMES.guards) {
    const markets = [{ symbol: 'BUSDT', previous }];
    parentPort?.postMessage({
      proposal: { book: { hash: 'guarded', markets }, facts: { guarded: ['BUSDT'] } },
    });
  }
  if (now === TIMES.correlates) {
    const correlations = { asOf: 1, markets: ['AUSDT'], matrix: Float64Array.of(1) };
    parentPort?.postMessage({ correlations });
    parentPort?.postMessage({ proposal: null });
  }
  if (now === TIMES.hasNothing) parentPort?.postMessage({ proposal: null });
  if (now === TIMES.fails) {
    const error = { code: 'DATA_INSUFFICIENT', message: 'too few bars', remedy: 'Import more.' };
    parentPort?.postMessage({ error });
  }
  if (now === TIMES.readsForLong) void uninterrupted(() => wait(READING_MILLISECONDS));
  if (now === TIMES.ends) process.exit(7);
  // Its answer has arrived long before it dies: what is in flight at the death of a worker may be lost.
  if (now === TIMES.dies || now === TIMES.answersThenDies) {
    setTimeout(() => {
      throw new Error('a defect outside any request');
    }, DEATH_AFTER_MILLISECONDS);
  }
});

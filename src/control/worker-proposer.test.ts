import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nextBook } from '../../data/test-books.ts';
import { PlimsollError } from '../errors.ts';
import { NO_GOVERNANCE } from '../limits/governance.ts';
import type { LimitBook } from '../limits/types.ts';
import { TIMES } from './proposing-worker.fixture.ts';
import type { TrackRequest } from './track-reading.ts';
import { WorkerProposer } from './worker-proposer.ts';

const ENTRY = new URL('./proposing-worker.fixture.ts', import.meta.url);
let proposer: WorkerProposer;

beforeEach(() => {
  proposer = new WorkerProposer(ENTRY, { folder: 'f' });
});

afterEach(() => proposer.close());

interface Seen {
  readonly threadId: number;
  readonly requests: number;
  readonly workerData: unknown;
  readonly previous: unknown;
}

async function answered(now: number = TIMES.answers): Promise<Seen> {
  return (await proposer.propose(null, now, NO_GOVERNANCE))?.book as unknown as Seen;
}

describe('a proposer in a worker', () => {
  test('sends the book in force there and the answer back, and keeps its worker', async () => {
    const book = nextBook(null, { AURUSDT: 20 });
    const first = (await proposer.propose(book, TIMES.answers, NO_GOVERNANCE))?.book as unknown as Seen;
    expect(first).toMatchObject({ requests: 1, workerData: { folder: 'f' }, previous: book });
    expect(await answered()).toMatchObject({ threadId: first.threadId, requests: 2 });
    expect(await proposer.propose(book, TIMES.hasNothing, NO_GOVERNANCE)).toBeNull();
  });

  test('gets a decision of the guard without the markets that stay, and sends no book that the worker has made', async () => {
    const before = nextBook(null, { AUSDT: 20, BUSDT: 10, CUSDT: 5 });
    const first = (await proposer.propose(before, TIMES.guards, NO_GOVERNANCE))?.book as LimitBook;
    expect(first.markets.map(({ symbol }) => symbol)).toEqual(['AUSDT', 'BUSDT', 'CUSDT']);
    expect([first.markets[0], first.markets[2]]).toEqual([before.markets[0], before.markets[2]]);
    expect(first.markets[1]).toEqual({ symbol: 'BUSDT', previous: before });
    const second = (await proposer.propose(first, TIMES.guards, NO_GOVERNANCE))?.book as LimitBook;
    expect(second.markets[1]).toEqual({ symbol: 'BUSDT', previous: 'proposed' });
    const third = (await proposer.propose(before, TIMES.guards, NO_GOVERNANCE))?.book as LimitBook;
    expect(third.markets[1]).toEqual({ symbol: 'BUSDT', previous: before });
  });

  test('tells of correlations that the worker has measured, which are no answer', async () => {
    const told: unknown[] = [];
    proposer.whenCorrelated((correlations) => told.push(correlations));
    expect(await proposer.propose(null, TIMES.correlates, NO_GOVERNANCE)).toBeNull();
    expect(told).toEqual([{ asOf: 1, markets: ['AUSDT'], matrix: Float64Array.of(1) }]);
  });

  test('asks the worker for a part of a market, and hangs neither where no worker runs nor where too much waits', async () => {
    const request: TrackRequest = {
      ...{ symbol: 'AUSDT', from: 1, to: 2, points: 3 },
      ...{ origins: Float64Array.of(1), horizonsHours: Float64Array.of(4) },
    };
    await expect(proposer.readTrack(request)).rejects.toMatchObject({ code: 'NOT_READY' });
    await answered();
    expect(await proposer.readTrack(request)).toEqual({ bars: request, realised: [] });
    const silent = Array.from({ length: 32 }, () => proposer.readTrack({ ...request, points: 0 }));
    const ends = Promise.allSettled(silent);
    await expect(proposer.readTrack(request)).rejects.toMatchObject({ code: 'OVERLOADED' });
    await proposer.close();
    expect((await ends).map(({ status }) => status)).toEqual(Array(32).fill('rejected'));
  });

  test('hands a failure over with its code, words and remedy, and goes on with the same worker', async () => {
    const { threadId } = await answered();
    const failure = await proposer
      .propose(null, TIMES.fails, NO_GOVERNANCE)
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(PlimsollError);
    expect(failure).toMatchObject({
      code: 'DATA_INSUFFICIENT',
      message: 'too few bars',
      remedy: 'Import more.',
    });
    expect((await answered()).threadId).toBe(threadId);
  });

  test.each([
    ['throws', TIMES.dies, 'a defect outside any request'],
    ['ends', TIMES.ends, 'ended with code 7'],
  ])('that %s in a request fails it, and the next one starts a new worker', async (_, now, words) => {
    const { threadId } = await answered();
    await expect(proposer.propose(null, now, NO_GOVERNANCE)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining(words),
    });
    const next = await answered();
    expect(next.threadId).not.toBe(threadId);
    expect(next.requests).toBe(1);
  });

  test('that hangs is ended at the deadline, and the next request has a new worker', async () => {
    await proposer.close();
    proposer = new WorkerProposer(ENTRY, {}, 5000);
    await expect(proposer.propose(null, TIMES.hangs, NO_GOVERNANCE)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('gave no answer in 5 seconds'),
    });
    expect((await answered()).requests).toBe(1);
  });

  test('that hangs in reading bars is not replaced before it is done with that, and then it is', async () => {
    await proposer.close();
    proposer = new WorkerProposer(ENTRY, {}, 5000);
    await expect(proposer.propose(null, TIMES.readsForLong, NO_GOVERNANCE)).rejects.toMatchObject({
      message: expect.stringContaining('gave no answer in 5 seconds'),
    });
    await expect(answered()).rejects.toMatchObject({
      code: 'IO_FAILED',
      remedy: expect.stringContaining('folder of the bars'),
    });
    let next: Seen | undefined;
    while (next === undefined) {
      await wait(50);
      next = await answered().catch(() => undefined);
    }
    expect(next.requests).toBe(1);
  });

  test('that dies between two requests neither ends the process nor leaves a request without an answer', async () => {
    const { threadId } = await answered(TIMES.answersThenDies);
    let next: Seen | undefined;
    // The death is noticed some time later; until then a request may fail, but it must end.
    while (next === undefined || next.threadId === threadId) {
      next = await answered().catch(() => undefined);
    }
    expect(next.requests).toBeGreaterThanOrEqual(1);
  });

  test('that cannot be started fails the request and the next one, and hangs neither', async () => {
    const missing = new WorkerProposer(new URL('./no-such-worker.ts', import.meta.url), null);
    for (let i = 0; i < 2; i++)
      await expect(missing.propose(null, 1, NO_GOVERNANCE)).rejects.toMatchObject({ code: 'INTERNAL' });
    await missing.close();
  });

  test('refuses a second request while one runs, so that answers cannot be mixed up', async () => {
    const first = answered();
    await expect(proposer.propose(null, TIMES.hasNothing, NO_GOVERNANCE)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect((await first).requests).toBe(1);
  });

  test('that is closed gives up what runs, and can be closed twice', async () => {
    const hanging = proposer
      .propose(null, TIMES.hangs, NO_GOVERNANCE)
      .catch((thrown: Error) => thrown.message);
    await proposer.close();
    expect(await hanging).toBe('the decision worker was closed');
    await proposer.close();
  });
});

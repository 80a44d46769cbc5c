import { afterAll, beforeAll, expect, test } from 'vitest';
import { isoTime, systemClock } from '../src/clock.ts';
import { type Served, serve, serveFirst } from './run-plimsoll.ts';

let running: Served;
let key: string;
let dataDir: string;
let remove: () => void;

beforeAll(async () => {
  ({ served: running, key, dataDir, remove } = await serveFirst('marks'));
});
afterAll(async () => {
  await running.end('SIGKILL');
  remove();
});

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came.
async function ask(path: string, body?: string, type = 'application/json'): Promise<any> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': type };
  const answer = await fetch(
    `${running.url}${path}`,
    body === undefined ? {} : { method: 'POST', headers, body },
  );
  return answer.json();
}

function holding(accountId: string, symbols: readonly string[]) {
  const positions = symbols.map((symbol) => ({ symbol, side: 'long', quantity: '1', entryPrice: '1' }));
  return { accountId, userId: accountId, marginMode: 'cross', equity: '1000000', positions };
}

/** Everything that needs marks, as it is answered before the service has decided anything since its start. */
async function answers(symbols: readonly string[]) {
  const margin = await ask('/v1/accounts/holder/margin');
  const simulated = await ask('/v1/margin/simulate', JSON.stringify({ account: holding('nobody', symbols) }));
  return { margin, simulated, isDecided: running.stderr().includes('limits published') };
}

test('after kill -9 the marks that were believed are known at once, with their time, and new prices are judged by them', async () => {
  const markets: { symbol: string }[] = (await ask('/v1/markets')).markets;
  const [first, second] = markets.map(({ symbol }) => symbol);
  await ask('/v1/accounts/batch', JSON.stringify(holding('holder', [first, second])), 'application/x-ndjson');
  const before = await ask('/v1/accounts/holder/margin');
  const time = isoTime(systemClock.now());
  const price = (Number(before.positions[0].mark) * 1.002).toFixed(4);
  const posted = await ask(
    '/v1/prices',
    JSON.stringify({ symbol: first, price, time }),
    'application/x-ndjson',
  );
  expect(posted.accepted).toBe(1);
  let found: Awaited<ReturnType<typeof answers>>;
  let tries = 0;
  do {
    // A decision that came before the answers would have told the marks anew: then nothing is proven, and it is done again.
    expect(++tries).toBeLessThan(6);
    await running.end('SIGKILL');
    running = await serve(dataDir);
    found = await answers([first, second]);
  } while (found.isDecided);
  const marks = [Number(price), Number(before.positions[1].mark)];
  const marksOf = (answer: { positions: { mark: string }[] }) =>
    answer.positions.map(({ mark }) => Number(mark));
  expect(marksOf(found.margin)).toEqual(marks);
  expect(found.margin.markedAt).toEqual({ [first]: time, [second]: before.markedAt[second] });
  expect(found.margin.status).toBe('healthy');
  expect(marksOf(found.simulated)).toEqual(marks);
  // Far from what was believed before: it waits for another one, as it would have without the restart.
  const far = (Number(price) * 1.6).toFixed(4);
  const later = isoTime(systemClock.now());
  const judged = await ask(
    '/v1/prices',
    JSON.stringify({ symbol: first, price: far, time: later }),
    'application/x-ndjson',
  );
  expect(judged.lines).toMatchObject([{ code: 'PRICE_HELD' }]);
}, 120_000);

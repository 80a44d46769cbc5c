import { isoTime, systemClock } from '../../src/clock.ts';
import { Random } from '../../src/random.ts';

/** Prices by market. */
export type Marks = Readonly<Record<string, number>>;

export interface ConsoleService {
  readonly url: string;
  readonly key: string;
}

export async function call<T>(
  { url, key }: ConsoleService,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** The newest marks of all markets, as a simulation of one contract each counts them. */
export async function marksOf(service: ConsoleService): Promise<Marks> {
  const { markets } = await call<{ markets: { symbol: string }[] }>(service, 'GET', '/v1/markets');
  const positions = markets.map(({ symbol }) => ({
    ...{ symbol, side: 'long', quantity: '1', entryPrice: '1' },
  }));
  const account = { accountId: 'marks', userId: 'marks', marginMode: 'cross', equity: '1', positions };
  const margin = await call<{ positions: { symbol: string; mark: string }[] }>(
    service,
    'POST',
    '/v1/margin/simulate',
    { account },
  );
  return Object.fromEntries(margin.positions.map(({ symbol, mark }) => [symbol, Number(mark)]));
}

/**
 * SIMULATED accounts, of nobody, an account a line: two positions each, leverage even over orders of magnitude from 1.5 to 9,
 * a third with an isolated position, sizes over three orders of magnitude. A seed repeats them.
 */
export function simulatedLines(marks: Marks, count: number, seed: number): string {
  const random = new Random(seed);
  const symbols = Object.keys(marks);
  const lines = Array.from({ length: count }, (_, i) => {
    const leverage = 1.5 * 6 ** random.uniform();
    let equity = 0;
    const first = random.integer(symbols.length);
    const positions = [first, (first + 1 + random.integer(symbols.length - 1)) % symbols.length].map((at) => {
      const mark = marks[symbols[at]];
      const notional = 8000 * Math.exp(1.6 * random.normal());
      const margin = notional / leverage;
      const isIsolated = random.uniform() < 0.33;
      if (!isIsolated) equity += margin;
      return {
        symbol: symbols[at],
        side: random.uniform() < 0.6 ? 'long' : 'short',
        quantity: (notional / mark).toFixed(8),
        entryPrice: (mark * Math.exp(0.005 * random.normal())).toFixed(8),
        ...(isIsolated ? { isolatedMargin: margin.toFixed(2) } : {}),
      };
    });
    return JSON.stringify({
      ...{ accountId: `sim-${i}`, userId: `user-${i}`, marginMode: 'cross' },
      ...{ equity: equity.toFixed(2), positions },
    });
  });
  return lines.join('\n');
}

/** Sends prices of now, all marks moved by a share. */
export function moveMarks(
  service: ConsoleService,
  marks: Marks,
  move: number,
): Promise<{ accepted: number }> {
  const time = isoTime(systemClock.now());
  const lines = Object.entries(marks).map(([symbol, mark]) =>
    JSON.stringify({ symbol, price: (mark * (1 + move)).toFixed(8), time }),
  );
  return call(service, 'POST', '/v1/prices', lines.join('\n'));
}

import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realisedExcursion } from '../control/realised-excursion.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { marketInputs, TestService } from './test-service.ts';

const DAY = 24 * HOUR;
const BOOKS = 30;
const PATH = '/v1/markets/BTCUSDT/track';
const asOf = (book: number): number => DECIDED_AT + (book - BOOKS) * HOUR;
const iso = (time: number): string => new Date(time).toISOString();

let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ books: 0 });
  for (let book = 1; book <= BOOKS; book++) {
    // Forecasts of hardly any loss in one of ten, so that they are exceeded.
    const tail = book % 10 === 0 ? 1e-5 : 0.03;
    const inputs = marketInputs(tail).map((input) => ({ ...input, asOf: asOf(book) }));
    await service.publish(inputs, asOf(book) + 60_000);
  }
});

afterAll(() => service.stop());

test('has the bars of the last week and each decision beside what happened over its horizon', async () => {
  const { json, status } = await service.call(PATH);
  const [{ bars }] = service.histories;
  expect([status, json.symbol, json.version, json.simulated]).toEqual([200, 'BTCUSDT', BOOKS, false]);
  expect([json.horizonHours, json.confidence]).toEqual([4, 0.99]);
  expect([json.from, json.to]).toEqual([iso(asOf(BOOKS) - 7 * DAY), iso(asOf(BOOKS))]);
  expect(json.intervalMilliseconds).toBe(HOUR);
  expect(json.bars.openTime).toHaveLength(168);
  expect(json.bars.openTime.at(-1)).toBe(asOf(BOOKS) - HOUR);
  const index = bars.openTime.indexOf(asOf(BOOKS) - HOUR);
  for (const column of ['open', 'high', 'low', 'close'] as const)
    expect(json.bars[column].at(-1)).toBe(bars[column][index]);
  expect(json.decisions).toHaveLength(BOOKS);
  for (const [i, decision] of json.decisions.entries()) {
    const realised = realisedExcursion(bars, asOf(i + 1), 4);
    expect(decision).toMatchObject({ version: i + 1, asOf: iso(asOf(i + 1)), realised });
    const book = await service.store.bookByVersion(i + 1);
    const market = book?.markets.find(({ symbol }) => symbol === 'BTCUSDT');
    const valueAtRisk = (side: string) =>
      market?.forecasts.find(
        (cell) => cell.side === side && cell.horizonHours === 4 && cell.confidence === 0.99,
      )?.valueAtRisk;
    expect(decision.valueAtRisk).toEqual({ long: valueAtRisk('long'), short: valueAtRisk('short') });
    expect([decision.maxLeverage, decision.bindingBound]).toEqual([
      market?.brackets[0].maxLeverage,
      market?.bindingBound,
    ]);
    const exceeded =
      realised === null
        ? null
        : {
            long: realised.long > decision.valueAtRisk.long,
            short: realised.short > decision.valueAtRisk.short,
          };
    expect(decision.exceeded).toEqual(exceeded);
  }
  // The bars of the tests go on after the newest decision, so every horizon is over.
  expect(json.exceedances.observations).toBe(BOOKS);
  expect(json.exceedances.long + json.exceedances.short).toBeGreaterThan(2);
});

test('a range has what lies in it, in fewer bars where fewer are asked for', async () => {
  const [from, to] = [asOf(10), asOf(20)];
  const { json } = await service.call(`${PATH}?from=${iso(from)}&to=${iso(to)}&points=3`);
  expect(json.bars.openTime.length).toBeLessThanOrEqual(3);
  expect(json.intervalMilliseconds).toBeGreaterThan(HOUR);
  expect(json.decisions.length).toBeLessThanOrEqual(3);
  expect(json.decisions.at(-1).version).toBe(20);
  expect(json.exceedances.observations).toBe(11);
  const before = await service.call(`${PATH}?from=${iso(asOf(0) - 3 * DAY)}&to=${iso(asOf(0))}`);
  expect(before.json).toMatchObject({ horizonHours: null, confidence: null, decisions: [] });
  expect(before.json.bars.openTime).toHaveLength(72);
});

test('a decision whose horizon lasts is not judged yet', async () => {
  const [history] = service.histories;
  const whole = service.histories;
  const { bars } = history;
  const known = bars.openTime.indexOf(asOf(BOOKS) - HOUR) + 1;
  service.histories = [{ ...history, bars: { ...bars, length: known } }];
  const { json } = await service.call(PATH);
  service.histories = whole;
  expect(json.decisions.map(({ realised }: { realised: unknown }) => realised === null)).toEqual(
    Array.from({ length: BOOKS }, (_, i) => i >= BOOKS - 4),
  );
  expect(json.exceedances.observations).toBe(BOOKS - 4);
});

test('is the same until there is another book, and comes as gzip to who takes it', async () => {
  const plain = await service.call(PATH);
  service.clock.advance(60_000);
  const again = await service.call(PATH, { headers: { 'if-none-match': plain.headers.etag } });
  expect(again.status).toBe(304);
  const packed = await service.call(PATH, { headers: { 'accept-encoding': 'gzip' } });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
});

test.each([
  [`?from=${iso(DECIDED_AT - 401 * DAY)}&to=${iso(DECIDED_AT)}`, 'longer than 400 days'],
  [`?from=${iso(DECIDED_AT)}&to=${iso(DECIDED_AT - DAY)}`, 'ends before it begins'],
  [`?from=${iso(DECIDED_AT + DAY)}`, 'ends before it begins'],
  ['?points=2001', 'points'],
  ['?points=1', 'points'],
  ['?points=many', 'points'],
  ['?from=yesterday', 'from'],
])('%s is refused with what is wrong', async (query, words) => {
  const { status, json } = await service.call(`${PATH}${query}`);
  expect([status, json.code]).toEqual([400, 'INPUT_INVALID']);
  expect(json.detail).toContain(words);
  expect(json.remedy.length).toBeGreaterThan(5);
});

test('the longest range that is allowed is answered, and a market that is not there is refused', async () => {
  const range = `?from=${iso(DECIDED_AT - 400 * DAY)}&to=${iso(DECIDED_AT)}&points=2`;
  expect((await service.call(`${PATH}${range}`)).status).toBe(200);
  const unknown = await service.call('/v1/markets/NOPEUSDT/track');
  expect([unknown.status, unknown.json.code]).toEqual([404, 'MARKET_UNKNOWN']);
});

test('before any bars were read it says so, and when to come again', async () => {
  const whole = service.histories;
  service.histories = [];
  const { status, json, headers } = await service.call(PATH);
  service.histories = whole;
  expect([status, json.code, headers['retry-after']]).toEqual([503, 'NOT_READY', '5']);
  expect(json.detail).toBe('no bars have been read since the start');
});

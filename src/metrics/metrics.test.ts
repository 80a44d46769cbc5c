import { beforeEach, describe, expect, test } from 'vitest';
import type { CoverageTier } from '../control/coverage-alarms.ts';
import type { CycleFacts } from '../control/decision-cycle.ts';
import { NOTHING_SEEN } from '../control/nothing-seen.fixture.ts';
import { CONFIDENCES, HORIZONS_HOURS } from '../forecast/predictor.ts';
import { decideBook } from '../limits/decide.ts';
import type { MarketInput } from '../limits/market-input.ts';
import { context, DECIDED_AT, forecast, HOUR, largeMarket } from '../limits/test-inputs.ts';
import { BOUND_NAMES, type LimitBook } from '../limits/types.ts';
import { FALLBACK_REASONS, Metrics } from './metrics.ts';

const FACTS: CycleFacts = {
  fallbackReason: null,
  lastObservationBySource: { binance: DECIDED_AT - HOUR },
  coverage: [],
  origins: [],
  seen: NOTHING_SEEN,
  seconds: 0.25,
};

let metrics: Metrics;

beforeEach(() => {
  metrics = new Metrics({ watchList: ['BTCUSDT', 'NOTHEREUSDT'], version: '1.2.3' });
});

/** What the metrics are told at a scrape. */
const LIVE = { isDegraded: true, auditEntries: 7 };

interface Exposition {
  readonly types: ReadonlyMap<string, string>;
  /** By name and labels as they are written: `plimsoll_x{a="b"}`. */
  readonly values: ReadonlyMap<string, number>;
}

/** Reads the exposition as a strict scraper does. */
function parse(text: string): Exposition {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  const helped = new Set<string>();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP ([a-z0-9_]+) \S/.exec(line);
    const type = /^# TYPE ([a-z0-9_]+) (counter|gauge|histogram|summary)$/.exec(line);
    if (help !== null) {
      expect(helped.has(help[1]), line).toBe(false);
      helped.add(help[1]);
    } else if (type !== null) {
      expect(types.has(type[1]), line).toBe(false);
      expect(helped.has(type[1]), line).toBe(true);
      types.set(type[1], type[2]);
    } else {
      const sample = /^(([a-z0-9_]+)(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$/.exec(line);
      if (sample === null) throw new Error(`not a sample: ${line}`);
      const family = types.has(sample[2]) ? sample[2] : sample[2].replace(/_(bucket|sum|count)$/, '');
      expect(types.has(family), line).toBe(true);
      expect(values.has(sample[1]), line).toBe(false);
      const value = Number(sample[3]);
      expect(Number.isFinite(value), line).toBe(true);
      values.set(sample[1], value);
    }
  }
  return { types, values };
}

async function scrape(): Promise<Exposition> {
  return parse((await metrics.scrape(LIVE)).text);
}

/** Values of a metric by its labels. */
async function valuesOf(name: string): Promise<Record<string, number>> {
  const { values } = await scrape();
  const found = [...values].filter(
    ([key]) => key === `plimsoll_${name}` || key.startsWith(`plimsoll_${name}{`),
  );
  return Object.fromEntries(found.map(([key, value]) => [key.slice(`plimsoll_${name}`.length), value]));
}

const market = (symbol: string, hourlyTail: number, changes: Partial<MarketInput> = {}): MarketInput =>
  largeMarket({ symbol, shockModel: forecast('shock-network@test', hourlyTail), ...changes });

function bookAfter(previous: LimitBook | null, inputs: readonly MarketInput[]): LimitBook {
  const decidedAt = previous === null ? DECIDED_AT : previous.decidedAt + HOUR;
  return decideBook(inputs, previous, context({ decidedAt }));
}

/** All of the contract. */
const CONTRACT =
  `http_request_duration_seconds decisions_total limit_moves_total limit_leverage_ratio limit_drift_ratio
  limit_change_ratio binding_bound_markets limits_last_published_timestamp_seconds limits_degraded
  data_last_observation_timestamp_seconds data_rejected_total forecast_observations_total forecast_exceedances_total
  shock_probability model_info model_trained_timestamp_seconds training_runs_total
  training_last_success_timestamp_seconds training_duration_seconds audit_entries_total
  audit_verification_failures_total fallback_active coverage_p_value feature_drift_psi accounts interventions_total
  system_leverage_ratio`.split(/\s+/);

describe('after a start', () => {
  test('every metric of the contract is there, so that an alert on it can be written', async () => {
    const { types } = await scrape();
    expect([...types.keys()]).toEqual(expect.arrayContaining(CONTRACT.map((name) => `plimsoll_${name}`)));
  });

  test('names follow the rules: a prefix, base units, and counters alone end in _total', async () => {
    const { types } = await scrape();
    for (const [name, type] of types) {
      expect(name).toMatch(/^plimsoll_/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/milliseconds|percent|_ms(_|$)/);
    }
  });

  test('every counter has each of its known series at 0, so that the first increase is seen', async () => {
    const { types, values } = parse((await metrics.scrape({ isDegraded: false, auditEntries: 0 })).text);
    const own = CONTRACT.filter((name) => types.get(`plimsoll_${name}`) === 'counter');
    for (const name of own) {
      const series = [...values].filter(([key]) => key.startsWith(`plimsoll_${name}`));
      expect([name, series.length > 0]).toEqual([name, true]);
      for (const [key, value] of series) expect([key, value]).toEqual([key, 0]);
    }
    expect(await valuesOf('decisions_total')).toEqual({
      '{outcome="published"}': 0,
      '{outcome="failed"}': 0,
    });
    expect(Object.keys(await valuesOf('forecast_observations_total'))).toEqual(
      CONFIDENCES.flatMap((confidence) =>
        HORIZONS_HOURS.map((horizon) => `{confidence="${confidence}",horizon="${horizon}"}`),
      ),
    );
  });

  test('every metric has a sentence that says what it is, and few labels', () => {
    for (const { name, help, labelNames } of metrics.described()) {
      expect([name, help.length > 10]).toEqual([name, true]);
      expect([name, labelNames.length <= 4]).toEqual([name, true]);
    }
  });

  test('the program names its version', async () => {
    expect(await valuesOf('build_info')).toEqual({ '{version="1.2.3"}': 1 });
  });
});

describe('labels', () => {
  test('of requests are bounded: a method that nobody knows is "other"', async () => {
    for (const method of ['GET', 'FLY', 'x'.repeat(50), 'get', '__proto__'])
      metrics.observeRequest('/v1/limits', method, 200, 0.001);
    const counts = await valuesOf('http_request_duration_seconds_count');
    expect(counts).toEqual({
      '{route="/v1/limits",method="GET",code="200"}': 1,
      '{route="/v1/limits",method="other",code="200"}': 4,
    });
  });

  test('of the fallback are bounded: a reason that nobody knows is "other", and one at most is active', async () => {
    const active = async () =>
      Object.entries(await valuesOf('fallback_active')).filter(([, value]) => value !== 0);
    const book = bookAfter(null, [largeMarket()]);
    for (const reason of [...FALLBACK_REASONS, 'a file of this machine is missing', '']) {
      metrics.bookPublished(book, null, { ...FACTS, fallbackReason: reason });
      const known = FALLBACK_REASONS.find((candidate) => candidate === reason) ?? 'other';
      expect(await active()).toEqual([[`{reason="${known}"}`, 1]]);
    }
    metrics.bookPublished(book, null, FACTS);
    expect(await active()).toEqual([]);
    expect(Object.keys(await valuesOf('fallback_active'))).toHaveLength(FALLBACK_REASONS.length);
  });

  test('of markets are those of the watch-list, however many markets there are', async () => {
    const inputs = Array.from({ length: 40 }, (_, i) => market(`M${i}USDT`, 0.02));
    metrics.bookPublished(bookAfter(null, [...inputs, market('BTCUSDT', 0.02)]), null, FACTS);
    for (const name of ['limit_leverage_ratio', 'shock_probability'])
      expect(Object.keys(await valuesOf(name))).toEqual(['{symbol="BTCUSDT"}']);
    expect(Object.keys(await valuesOf('limit_drift_ratio'))).toEqual([
      '{symbol="BTCUSDT",against="day"}',
      '{symbol="BTCUSDT",against="baseline"}',
    ]);
    expect(await valuesOf('limits_markets')).toEqual({ '': 41 });
  });

  test('with quotes, backslashes and line ends do not break the format', async () => {
    metrics.modelInUse('a"b\\c\nd', 'v', DECIDED_AT);
    expect(Object.keys(await valuesOf('model_info'))).toEqual([
      '{name="a\\"b\\\\c\\nd",version="v",alias="champion"}',
    ]);
  });
});

describe('a published book', () => {
  test('moves what it should: outcome, directions, bounds, times, observations and coverage', async () => {
    const first = bookAfter(null, [
      market('BTCUSDT', 0.012),
      market('ETHUSDT', 0.012, { quality: 'reject' }),
    ]);
    metrics.bookPublished(first, null, FACTS);
    const second = bookAfter(first, [
      market('BTCUSDT', 0.08),
      market('ETHUSDT', 0.012, { quality: 'reject' }),
    ]);
    metrics.bookPublished(second, first, {
      ...FACTS,
      coverage: [{ confidence: 0.99, horizonHours: 4, observations: 6, exceedances: 2 }],
    });
    expect(await valuesOf('decisions_total')).toEqual({
      '{outcome="published"}': 2,
      '{outcome="failed"}': 0,
    });
    expect(await valuesOf('limit_moves_total')).toEqual({
      '{direction="initial"}': 2,
      '{direction="tighten"}': 1,
      '{direction="loosen"}': 0,
      '{direction="hold"}': 1,
    });
    const binding = await valuesOf('binding_bound_markets');
    expect(Object.keys(binding)).toEqual(BOUND_NAMES.map((bound) => `{bound="${bound}"}`));
    expect(Object.values(binding).reduce((sum, value) => sum + value, 0)).toBe(2);
    expect(binding['{bound="dataQuality"}']).toBe(1);
    expect(await valuesOf('limits_last_published_timestamp_seconds')).toEqual({
      '': second.decidedAt / 1000,
    });
    expect(await valuesOf('limits_valid_until_timestamp_seconds')).toEqual({ '': second.validUntil / 1000 });
    expect(await valuesOf('data_last_observation_timestamp_seconds')).toEqual({
      '{source="binance"}': (DECIDED_AT - HOUR) / 1000,
    });
    expect(await valuesOf('data_rejected_total')).toMatchObject({
      '{source="imported",reason="quality"}': 2,
    });
    expect((await valuesOf('forecast_observations_total'))['{confidence="0.99",horizon="4"}']).toBe(6);
    expect((await valuesOf('forecast_exceedances_total'))['{confidence="0.99",horizon="4"}']).toBe(2);
    expect(await valuesOf('decision_duration_seconds')).toEqual({ '': 0.25 });
    const [before, after] = [first, second].map(({ markets }) => markets[0].brackets[0].maxLeverage);
    expect(after).toBeLessThan(before);
    expect(await valuesOf('limit_leverage_ratio')).toEqual({ '{symbol="BTCUSDT"}': after });
    expect((await valuesOf('limit_drift_ratio'))['{symbol="BTCUSDT",against="baseline"}']).toBeCloseTo(
      after / before,
    );
    const changes = await valuesOf('limit_change_ratio_sum');
    expect(changes['']).toBeCloseTo(after / before + 1);
    const { long, short } = second.markets[0].shockProbability;
    expect((await valuesOf('shock_probability'))['{symbol="BTCUSDT"}']).toBe(Math.max(long ?? 0, short ?? 0));
  });

  test('that is recovered shows its state, and counts as no decision', async () => {
    const book = bookAfter(null, [largeMarket()]);
    metrics.bookInForce(book);
    expect(await valuesOf('limits_last_published_timestamp_seconds')).toEqual({ '': book.decidedAt / 1000 });
    expect(Object.values(await valuesOf('decisions_total'))).toEqual([0, 0]);
    expect(Object.values(await valuesOf('limit_moves_total'))).toEqual([0, 0, 0, 0]);
  });

  test('drifts against the book of a day ago, not against older ones', async () => {
    const book = bookAfter(null, [market('BTCUSDT', 0.012)]);
    const withLeverage = (maxLeverage: number, hours: number): LimitBook => ({
      ...book,
      decidedAt: DECIDED_AT + hours * HOUR,
      markets: book.markets.map((one) => ({ ...one, brackets: [{ ...one.brackets[0], maxLeverage }] })),
    });
    const drift = async () => Object.values(await valuesOf('limit_drift_ratio'));
    metrics.bookInForce(withLeverage(40, 0));
    expect(await drift()).toEqual([1, 1]);
    metrics.bookInForce(withLeverage(20, 10));
    expect(await drift()).toEqual([0.5, 0.5]);
    metrics.bookInForce(withLeverage(10, 24));
    expect(await drift()).toEqual([0.25, 0.25]);
    metrics.bookInForce(withLeverage(10, 25));
    expect(await drift()).toEqual([0.5, 0.25]);
  });
});

describe('coverage', () => {
  const tierOf = (horizonHours: number, exceeded: number): CoverageTier => ({
    ...{ horizonHours, confidence: 0.99, observations: 10, exceedances: 1, settledUntil: 0 },
    chains: [{ exceeded: [Math.log(exceeded)], overstated: [0] }],
    alarmedAt: { exceeded: exceeded >= 100 ? DECIDED_AT : null, overstated: null },
  });

  test('has a p-value that is one over the mean e-value of the horizons: 2 / (198 + 2) of two', async () => {
    const before = await valuesOf('coverage_p_value');
    expect(Object.values(before)).toEqual(Array(2 * CONFIDENCES.length).fill(1));
    metrics.forecasts.coverage({ model: 'm@1', tiers: [tierOf(1, 198), tierOf(24, 2)], open: [] });
    const after = await valuesOf('coverage_p_value');
    expect(after['{test="exceeded",confidence="0.99"}']).toBeCloseTo(0.01);
    expect(after['{test="overstated",confidence="0.99"}']).toBe(1);
    expect(after['{test="exceeded",confidence="0.95"}']).toBe(1);
    const alarms = await valuesOf('coverage_alarm');
    expect(alarms['{confidence="0.99",horizon="1",direction="exceeded"}']).toBe(1);
    expect(alarms['{confidence="0.99",horizon="24",direction="exceeded"}']).toBe(0);
  });
});

describe('other events', () => {
  test('a failed decision, a training run, an audit entry and a broken chain are counted', async () => {
    metrics.decisionFailed();
    metrics.trainingFinished('failed', 12, DECIDED_AT);
    expect(await valuesOf('training_last_success_timestamp_seconds')).toEqual({ '': 0 });
    metrics.trainingFinished('succeeded', 34, DECIDED_AT);
    metrics.verificationFailed();
    expect((await valuesOf('decisions_total'))['{outcome="failed"}']).toBe(1);
    expect(await valuesOf('training_runs_total')).toEqual({
      '{result="succeeded"}': 1,
      '{result="failed"}': 1,
    });
    expect(await valuesOf('training_duration_seconds')).toEqual({ '': 34 });
    expect(await valuesOf('training_last_success_timestamp_seconds')).toEqual({ '': DECIDED_AT / 1000 });
    expect(await valuesOf('audit_verification_failures_total')).toEqual({ '': 1 });
  });

  test('what no event tells is taken at the scrape itself, up and down', async () => {
    expect(await valuesOf('limits_degraded')).toEqual({ '': 1 });
    expect(await valuesOf('audit_entries_total')).toEqual({ '': 7 });
    const { values } = parse((await metrics.scrape({ isDegraded: false, auditEntries: 9 })).text);
    expect(values.get('plimsoll_limits_degraded')).toBe(0);
    expect(values.get('plimsoll_audit_entries_total')).toBe(9);
  });

  test('without a shock model none is named', async () => {
    metrics.modelInUse('shock-network', 'a', DECIDED_AT);
    metrics.noModelInUse();
    expect(await valuesOf('model_info')).toEqual({});
  });

  test('a model in use is named once: its predecessor is gone', async () => {
    metrics.modelInUse('shock-network', 'v1', DECIDED_AT - HOUR);
    metrics.modelInUse('shock-network', 'v2', DECIDED_AT);
    expect(await valuesOf('model_info')).toEqual({
      '{name="shock-network",version="v2",alias="champion"}': 1,
    });
    expect(await valuesOf('model_trained_timestamp_seconds')).toEqual({ '': DECIDED_AT / 1000 });
  });

  test('two services in one process keep their counts apart', async () => {
    const other = new Metrics({ watchList: [], version: '1' });
    other.decisionFailed();
    expect((await valuesOf('decisions_total'))['{outcome="failed"}']).toBe(0);
  });
});

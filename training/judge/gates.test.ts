import { describe, expect, test } from 'vitest';
import { gateRecordSchema } from '../../models/gate-record.ts';
import { DEFAULT_GATE_POLICY, gatePolicyFromInput, gatePolicyVersion } from './gate-policy.ts';
import { type CandidateFacts, checkGates, gateRecordOf } from './gates.ts';
import { judge } from './judge.ts';
import { scaledTable, simulateTables } from './judged-tables.fixture.ts';
import type { MonotoneResult } from './monotone.ts';
import { judgePool } from './pool.ts';

const STEP_HOURS = 6;
const simulated = simulateTables(5, 6, 800);
const { outcomes, right, volatility } = simulated;
/** Knows the mean volatility only, as historical simulation does. */
const constant = scaledTable(simulated, 'constant', (row) => 0.0115 / volatility[row]);
const low = scaledTable(simulated, 'low', () => 0.6);
const lowInStress = scaledTable(simulated, 'low-in-stress', (row) =>
  outcomes.volatilityFifth[row] === 4 ? 0.6 : 1,
);
const near = scaledTable(simulated, 'near', () => 1.001);
const tables = [right, constant, low, lowInStress, near];
const judged = judge(outcomes, tables, 'right', STEP_HOURS);

const monotone: MonotoneResult = {
  comparisons: 64,
  violations: 0,
  largestFall: 0,
  worst: null,
  leastRise: 0.5,
};

/** The results by name, of one of the tables as the candidate, against all others or some. */
function gatesOf(
  candidate: string,
  change: Partial<CandidateFacts> = {},
  others: readonly string[] = ['constant'],
): Map<string, ReturnType<typeof checkGates>[number]> {
  const judgement = {
    ...judged,
    candidate,
    forecasters: judged.forecasters.filter((name) => name === candidate || others.includes(name)),
  };
  const facts: CandidateFacts = {
    champion: null,
    pool: judgePool(outcomes, tables, judgement, candidate),
    monotone,
    latencyMilliseconds: 3,
    sizeBytes: 100_000,
    ...change,
  };
  return new Map(checkGates(judgement, facts, DEFAULT_GATE_POLICY).map((result) => [result.gate, result]));
}

const failed = (gates: ReturnType<typeof gatesOf>): readonly string[] =>
  [...gates.values()].filter(({ passed }) => !passed).map(({ gate }) => gate);

describe('the gates', () => {
  test('let the right forecasts through, and every gate has a finite bound, a measurement and words', () => {
    const gates = gatesOf('right');
    expect(failed(gates)).toEqual([]);
    expect([...gates.keys()]).toEqual([
      'pinball-against-classical',
      'fz0-against-classical',
      'regimes',
      'coverage-rate',
      'coverage-kupiec',
      'coverage-conditional',
      'coverage-shortfall',
      'coverage-pooled',
      'stress-exceedances',
      'monotone',
      'latency',
      'size',
    ]);
    for (const { measured, bound, words } of gates.values())
      expect([Number.isFinite(measured), Number.isFinite(bound), words.length > 10]).toEqual([
        true,
        true,
        true,
      ]);
  });

  test('stop what is worse than a classical forecaster, and name the one that is best', () => {
    const gates = gatesOf('constant', {}, ['right', 'low']);
    expect(failed(gates)).toEqual(
      expect.arrayContaining(['pinball-against-classical', 'fz0-against-classical', 'regimes']),
    );
    const pinball = gates.get('pinball-against-classical');
    expect(pinball?.measured).toBeLessThan(-0.2);
    expect(pinball?.words).toContain('above that of right');
  });

  test('stop what is no better than the champion by the margin, which the classical field does not see', () => {
    const gates = gatesOf('right', { champion: 'near' }, ['constant', 'near']);
    expect(failed(gates)).toEqual(['pinball-against-champion', 'fz0-against-champion']);
    expect(gates.get('pinball-against-classical')?.words).toContain('constant');
    expect(gates.get('pinball-against-champion')?.words).toContain('near');
  });

  test('stop risk that is understated, everywhere or in stress alone', () => {
    expect(failed(gatesOf('low'))).toEqual(
      expect.arrayContaining([
        'coverage-rate',
        'coverage-kupiec',
        'coverage-shortfall',
        'coverage-pooled',
        'stress-exceedances',
      ]),
    );
    const stress = gatesOf('low-in-stress', {}, ['right']);
    expect(failed(stress)).toEqual(expect.arrayContaining(['regimes', 'stress-exceedances']));
    expect(stress.get('regimes')?.words).toContain('in stress');
  });

  test('stop an answer that falls with volatility, a slow one and a large one', () => {
    const falls = { ...monotone, violations: 1, largestFall: 0.2 };
    const worst = { side: 'long', horizonHours: 24, confidence: 0.99, row: 0, step: 0 } as const;
    const change = { monotone: { ...falls, worst }, latencyMilliseconds: 10.5, sizeBytes: 1e9 };
    const gates = gatesOf('right', change);
    expect(failed(gates)).toEqual(['monotone', 'latency', 'size']);
    expect(gates.get('monotone')?.words).toContain('long 24 h 99 %');
  });

  test('stop what nobody measured', () => {
    const nothing = { pool: null, monotone: null, latencyMilliseconds: null, sizeBytes: null };
    expect(failed(gatesOf('right', nothing))).toEqual([
      'coverage-rate',
      'coverage-kupiec',
      'coverage-conditional',
      'coverage-shortfall',
      'coverage-pooled',
      'monotone',
      'latency',
      'size',
    ]);
    expect(failed(gatesOf('right', {}, []))).toEqual([
      'pinball-against-classical',
      'fz0-against-classical',
      'regimes',
    ]);
    expect(failed(gatesOf('right', { champion: 'unknown' }))).toEqual([
      'pinball-against-champion',
      'fz0-against-champion',
    ]);
  });

  test('do not look at a quarter of which a few days were judged', () => {
    const ofDays = judged.regimes
      .filter(({ regime, forecaster }) => regime === '2024Q1' && forecaster === 'right')
      .map((one) => ({ ...one, regime: '2025Q1', observations: 10, pinball: 9 * one.pinball }));
    const judgement = { ...judged, regimes: [...judged.regimes, ...ofDays] };
    const [regimes] = checkGates(
      judgement,
      { champion: null, pool: null, monotone, latencyMilliseconds: 1, sizeBytes: 1 },
      DEFAULT_GATE_POLICY,
    ).filter(({ gate }) => gate === 'regimes');
    expect(regimes.words).not.toContain('2025Q1');
  });

  test('make a record that a manifest takes', () => {
    const results = [...gatesOf('right').values()];
    const record = gateRecordOf(results, DEFAULT_GATE_POLICY, null, '2025-01-01T00:00:00.000Z');
    expect(gateRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(record.passed).toBe(true);
    const broken = gateRecordOf(
      [...gatesOf('low').values()],
      DEFAULT_GATE_POLICY,
      '20241231-00000000',
      '2025-01-01T00:00:00.000Z',
    );
    expect(gateRecordSchema.parse(broken).passed).toBe(false);
  });
});

describe('a policy of gates from a file', () => {
  test('takes the place of the bounds that it names, and of no other', () => {
    const named = { mostLatencyMilliseconds: 5, confidences: [0.99] };
    expect(gatePolicyFromInput(named)).toEqual({ policy: { ...DEFAULT_GATE_POLICY, ...named }, faults: [] });
    for (const nothing of [{}, undefined])
      expect(gatePolicyFromInput(nothing)).toEqual({ policy: DEFAULT_GATE_POLICY, faults: [] });
  });

  test('has every fault told: a misspelt bound, a wrong number, no mapping at all', () => {
    const faultsOf = (content: unknown): readonly string[] => gatePolicyFromInput(content).faults;
    expect(faultsOf({ mostLatency: 5 })).toEqual([expect.stringContaining('mostLatency')]);
    expect(faultsOf({ mostSizeBytes: -1, confidences: [0.9] })).toEqual([
      expect.stringContaining('gates.confidences.0'),
      expect.stringContaining('gates.mostSizeBytes'),
    ]);
    for (const nothing of [[], null, 'strict'])
      expect(faultsOf(nothing)).toEqual(['gates must hold bounds by name']);
  });

  test('has a version that tells two apart by any bound, whatever the order in the file', () => {
    const version = gatePolicyVersion(DEFAULT_GATE_POLICY);
    expect(version).toMatch(/^1-[0-9a-f]{8}$/);
    expect(gatePolicyVersion({ ...DEFAULT_GATE_POLICY, mostSizeBytes: 1 })).not.toBe(version);
    const reversed = Object.fromEntries(Object.entries(DEFAULT_GATE_POLICY).reverse());
    expect(gatePolicyVersion(gatePolicyFromInput(reversed).policy)).toBe(version);
  });
});

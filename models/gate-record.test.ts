import { describe, expect, test } from 'vitest';
import { type GateRecord, gateRecordSchema, promotionObstacles } from './gate-record.ts';

const VERSION = '20250101-00000001';
const CHAMPION = '20241231-00000000';
const standing = { champion: CHAMPION, formerChampions: [] };

function record(change: Partial<GateRecord> = {}): GateRecord {
  return {
    policyVersion: '1-00000000',
    champion: CHAMPION,
    judgedAt: '2025-01-01T00:00:00.000Z',
    passed: true,
    results: [{ gate: 'size', passed: true, measured: 1, bound: 2, words: '1 of 2 bytes' }],
    ...change,
  };
}

const failed = record({
  passed: false,
  results: [
    { gate: 'size', passed: true, measured: 1, bound: 2, words: '1 of 2 bytes' },
    { gate: 'latency', passed: false, measured: 9, bound: 5, words: '9 ms for 500 markets, at most 5' },
  ],
});

describe('what stands against a promotion', () => {
  test('nothing does when every gate was passed against the champion of today', () => {
    expect(promotionObstacles({ version: VERSION, gates: record() }, standing)).toEqual([]);
  });

  test('each failed gate in its words, and no passed one', () => {
    expect(promotionObstacles({ version: VERSION, gates: failed }, standing)).toEqual([
      'latency: 9 ms for 500 markets, at most 5',
    ]);
  });

  test('a version that was never held against gates', () => {
    expect(promotionObstacles({ version: VERSION }, standing)).toEqual([
      expect.stringContaining('no record of gates'),
    ]);
  });

  test('a comparison with somebody who is no longer the champion', () => {
    const others = { champion: '20250601-0000000f', formerChampions: [CHAMPION] };
    expect(promotionObstacles({ version: VERSION, gates: record() }, others)).toEqual([
      `it was held against ${CHAMPION}, and the champion is now 20250601-0000000f`,
    ]);
    expect(promotionObstacles({ version: VERSION, gates: record({ champion: null }) }, standing)).toEqual([
      `it was held against no champion, and the champion is now ${CHAMPION}`,
    ]);
  });

  test('nothing for a version that was champion before, whatever its gates', () => {
    const former = { champion: CHAMPION, formerChampions: [VERSION] };
    expect(promotionObstacles({ version: VERSION, gates: failed }, former)).toEqual([]);
    expect(promotionObstacles({ version: VERSION }, former)).toEqual([]);
  });
});

describe('a record of gates', () => {
  test('that claims to have passed what it failed does not hold, nor does the reverse, nor one without gates', () => {
    expect(gateRecordSchema.safeParse(record()).success).toBe(true);
    expect(gateRecordSchema.safeParse(failed).success).toBe(true);
    expect(gateRecordSchema.safeParse({ ...failed, passed: true }).success).toBe(false);
    expect(gateRecordSchema.safeParse(record({ passed: false })).success).toBe(false);
    expect(gateRecordSchema.safeParse(record({ results: [] })).success).toBe(false);
  });
});

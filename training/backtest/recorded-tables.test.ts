import { describe, expect, test } from 'vitest';
import { anticipated } from './anticipation.ts';
import { recordedPath, recordedTables } from './recorded-tables.ts';
import type { MarketTape, Tape } from './tape.ts';
import { barsOf, bracketsOf, pathOf, START } from './test-stage.ts';

const hour = (h: number): string => new Date(START + h * 3_600_000).toISOString();
const line = (h: number, leverage: number): string =>
  JSON.stringify({
    asOf: hour(h),
    symbol: 'SOLUSDT',
    brackets: [
      [0, 10_000, leverage, 0.5 / leverage, 0],
      [10_000, 50_000, 2, 0.125, 10_000 * (0.125 - 0.5 / leverage)],
    ],
  });

describe('recorded tables', () => {
  test('are in force from the first close after they were recorded, newest last, until a delisting', () => {
    const text = [
      line(5, 20),
      line(1, 50),
      JSON.stringify({ asOf: hour(8), symbol: 'SOLUSDT', brackets: null }),
      '',
    ].join('\n');
    const versions = recordedTables(text).get('SOLUSDT') ?? [];
    const path = recordedPath(
      'SOLUSDT',
      versions,
      barsOf(Array.from({ length: 10 }, () => [1, 1, 1, 1] as const)),
    );
    const leverages = [...path.opening].map((table) =>
      table < 0 ? null : path.schedules[table][0].maxLeverage,
    );
    expect(leverages).toEqual([50, 50, 50, 50, 20, 20, 20, null, null, null]);
    expect(path.schedules[0][1]).toMatchObject({
      notionalFloor: 10_000,
      maxLeverage: 2,
      maintenanceAmountMicros: 1_150_000_000,
    });
    expect([...path.maintenance]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });

  test.each([
    ['no JSON', '{'],
    ['no time', '{"symbol":"A","brackets":[]}'],
    ['no brackets', '{"asOf":"2024-01-01T00:00:00Z","symbol":"A","brackets":[]}'],
    ['a bracket of words', '{"asOf":"2024-01-01T00:00:00Z","symbol":"A","brackets":[["a",1,1,1,1]]}'],
    ['a cap below its floor', '{"asOf":"2024-01-01T00:00:00Z","symbol":"A","brackets":[[5,1,1,0.1,0]]}'],
    ['a leverage below 1', '{"asOf":"2024-01-01T00:00:00Z","symbol":"A","brackets":[[0,1,0.5,0.1,0]]}'],
    ['null', 'null'],
  ])('with %s are refused by line', (_, text) => {
    expect(() => recordedTables(`${line(0, 10)}\n${text}`)).toThrow(
      expect.objectContaining({ code: 'DATA_INVALID', message: expect.stringContaining('line 2') }),
    );
  });
});

describe('a cut is anticipated', () => {
  const bars = barsOf(Array.from({ length: 20 }, () => [1, 1, 1, 1] as const));
  const tape = { markets: [{ symbol: 'SOLUSDT', bars } as unknown as MarketTape] } as unknown as Tape;
  const at = (leverage: number) => bracketsOf([[1e6, leverage, 0.5 / leverage]]);
  const cutsOf = (tables: string, path: ReturnType<typeof pathOf>) =>
    anticipated(tape, recordedTables(tables), new Map([['SOLUSDT', path]]));

  test('when the policy was at or below the new leverage an hour before, with its lead', () => {
    const early = pathOf('SOLUSDT', 20, [
      [0, at(20)],
      [4, at(10)],
    ]);
    expect(cutsOf([line(0, 20), line(10, 10)].join('\n'), early)).toEqual([
      {
        symbol: 'SOLUSDT',
        recordedAt: START + 10 * 3_600_000,
        from: 20,
        to: 10,
        policyLeverage: 10,
        isAnticipated: true,
        leadHours: 5,
      },
    ]);
    const late = pathOf('SOLUSDT', 20, [
      [0, at(20)],
      [9, at(10)],
    ]);
    expect(cutsOf([line(0, 20), line(10, 10)].join('\n'), late)).toMatchObject([
      { isAnticipated: false, leadHours: 0 },
    ]);
  });

  test('only if it is a cut of half or more, in hours that the policy has', () => {
    const path = pathOf('SOLUSDT', 20, [[0, at(5)]]);
    expect(cutsOf([line(0, 20), line(10, 15)].join('\n'), path)).toEqual([]);
    expect(cutsOf([line(0, 20), line(100, 10)].join('\n'), path)).toEqual([]);
    expect(cutsOf([line(0, 20), line(10, 10)].join('\n'), pathOf('SOLUSDT', 20, []))).toEqual([]);
  });
});

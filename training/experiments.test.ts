import { describe, expect, test } from 'vitest';
import { SHIPPED_MODELS } from '../src/program.ts';
import {
  blankExperiment,
  type Experiment,
  pinballRatio,
  readExperiments,
  skillOf,
  sortedExperiments,
} from './experiments.ts';
import { loadExperiments } from './run.ts';

const at = (day: number): string => `2026-01-0${day}T00:00:00.000Z`;
const scored = (day: number, pinballRatio: number): Experiment => ({
  ...blankExperiment('train', 'shock-network', at(day)),
  against: [
    { forecaster: 'filtered@1', pinballRatio: 0.99 },
    { forecaster: 'historical@1', pinballRatio },
  ],
});

describe('the experiment log', () => {
  test('takes what it wrote, and leaves out rows that are not experiments', () => {
    const rows = [scored(1, 0.8), blankExperiment('idea', 'wider trunk', at(2))];
    const values = [
      JSON.parse(JSON.stringify(rows[0])),
      { id: 'x' },
      null,
      JSON.parse(JSON.stringify(rows[1])),
    ];
    expect(readExperiments(values)).toEqual({ experiments: rows, refused: 2 });
  });

  test('every row of the log that ships holds', async () => {
    const { experiments, refused } = await loadExperiments(SHIPPED_MODELS);
    expect(refused).toBe(0);
    expect(experiments.length).toBeGreaterThan(40);
    expect(new Set(experiments.map(({ id }) => id)).size).toBe(experiments.length);
  });

  test('the same moment and name give the same id, another name another', () => {
    const id = (name: string): string => blankExperiment('train', name, at(1)).id;
    expect(id('a')).toBe(id('a'));
    expect(id('a')).not.toBe(id('b'));
    expect(id('a')).toMatch(/^20260101-[0-9a-f]{8}$/);
  });

  test('the best come first, the unscored last, the newer of equals before the older', () => {
    const rows = [
      scored(1, 0.8),
      blankExperiment('train', 'shock-network', at(2)),
      scored(3, 0.7),
      scored(4, 0.8),
    ];
    expect(sortedExperiments(rows, 'best').map((row) => row.at)).toEqual([at(3), at(4), at(1), at(2)]);
    expect(sortedExperiments(rows, 'newest').map((row) => row.at)).toEqual([at(4), at(3), at(2), at(1)]);
    expect(skillOf(rows[0])).toBeCloseTo(0.2, 12);
    expect(skillOf(rows[1])).toBeNull();
  });

  test('a ratio is the geometric mean over the cells that both have', () => {
    const cell = (horizonHours: number, pinball: number) => ({
      side: 'long',
      horizonHours,
      confidence: 0.99,
      pinball,
    });
    expect(pinballRatio([cell(1, 2), cell(4, 8)], [cell(1, 1), cell(4, 1), cell(8, 1)])).toBeCloseTo(4, 12);
    expect(pinballRatio([cell(1, 2)], [cell(4, 1)])).toBeNull();
    expect(pinballRatio([cell(1, 2)], [cell(1, 0)])).toBeNull();
  });
});

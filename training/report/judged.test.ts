import { describe, expect, test } from 'vitest';
import type { AverageScore, Judgement } from '../judge/judgement.ts';
import { averagesTable, coverageTable, duelsTables, shockTable, spanWords, varianceTable } from './judged.ts';

const cell = { side: 'long', horizonHours: 24, confidence: 0.99 } as const;
const average = (forecaster: string, pinball: number): AverageScore => ({
  ...cell,
  forecaster,
  markets: 3,
  observations: 900,
  pinball,
  pinballStandardError: 0.0001,
  fz0: -1.5,
  exceedanceRate: 0.011,
});
const duel = (
  against: string,
  pooledPValueBetter: number | null,
  gain: number,
): Judgement['duels'][number] => ({
  ...cell,
  against,
  score: 'pinball',
  markets: 3,
  gain,
  shareLower: 0.9,
  shareSignificantlyBetter: 0.4,
  shareSignificantlyWorse: 0.05,
  pooledPValueBetter,
});
const judgement: Judgement = {
  candidate: 'network',
  forecasters: ['network', 'weak', 'strong', 'unknown'],
  span: {
    from: '2024-01-01T00:00:00.000Z',
    until: '2024-12-31T00:00:00.000Z',
    origins: 300,
    rows: 900,
    rowsLeftOut: 0,
    unanswered: {},
    markets: 3,
    folds: 4,
    stepHours: 24,
  },
  cells: [],
  averages: [average('network', 0.002), average('weak', 0.004), average('strong', 0.0016)],
  regimes: [],
  shocks: [
    {
      forecaster: 'network',
      side: 'long',
      horizonHours: 24,
      observations: 900,
      brier: 0.045,
      skill: 0.06,
      logLoss: 0.19,
      meanProbability: 0.05,
      frequency: 0.051,
    },
  ],
  variances: [
    { forecaster: 'network', horizonHours: 1, observations: 900, qlike: 0.5 },
    { forecaster: 'network', horizonHours: 24, observations: 900, qlike: 0.29 },
    { forecaster: 'weak', horizonHours: 24, observations: 900, qlike: 0.31 },
  ],
  duels: [duel('weak', 0.001, 0.5), duel('strong', 0.99, -0.25)],
  bestOfCells: [
    {
      horizonHours: 24,
      confidence: 0.99,
      score: 'pinball',
      cells: 6,
      shareLower: 0.5,
      shareSignificantlyBetter: 0.1,
      shareSignificantlyWorse: 0.2,
    },
  ],
  confidenceSets: [{ ...cell, score: 'pinball', members: ['network', 'strong'] }],
  coverage: [
    {
      forecaster: 'network',
      confidence: 0.99,
      cells: 24,
      shareInsideBinomial: 0.96,
      shareKupiecHeld: 0.92,
      shareConditionalHeld: 0.91,
      shareZ2Held: 0.95,
      exceedanceRate: 0.0102,
      exceedanceRateInStress: 0.0131,
    },
  ],
};
/** Words of a table without its tags, cells apart by a bar. */
const words = (html: string): string =>
  html
    .replaceAll(/<\/t[dh]>/g, '|')
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll('&#39;', "'");

describe('what a report says of a judgement', () => {
  test('what was judged is said, and how much was left out', () => {
    expect(spanWords(judgement)).toBe(
      'Judged on 900 rows of 3 markets at 300 origins, one every 24 h, 2024-01-01 to 2024-12-31, in 4 folds.',
    );
    const gappy = {
      ...judgement,
      span: { ...judgement.span, rowsLeftOut: 1200, unanswered: { young: 1200 }, folds: 1 },
    };
    expect(spanWords(gappy)).toContain(
      'in 1 fold; 1,200 were left out because a forecaster had no answer: young 1,200.',
    );
  });

  test('ratios are own over other, coloured only where the test tells them apart, marked where the other is in the set', () => {
    const table = averagesTable(judgement);
    expect(words(table)).toContain('long 24 h 99 %|0.2000 ± 0.020|3.105|1.10 %|0.500|1.250 ∈|–|');
    expect(table).toContain('<td class="n good" data-sort="0.5">');
    expect(table).toContain('<td class="n bad" data-sort="1.25">');
    const undecided = { ...judgement, duels: [duel('weak', 0.2, 0.5), duel('strong', null, -0.25)] };
    expect(averagesTable(undecided)).not.toMatch(/class="n (good|bad)"/);
  });

  test('duels are told by opponent, the hardest opponent and the confidence set too', () => {
    const text = words(duelsTables(judgement));
    expect(text).toContain('weak|pinball|50.0 %|90 %|40 %|5 %|');
    expect(text).toContain('24 h 99 %|pinball|6|50 %|10 %|20 %|');
    expect(text).toContain('in 1 of 1 cells and scores');
  });

  test('coverage, shocks and volatility have every number; a forecaster without one has a dash', () => {
    expect(words(coverageTable(judgement))).toContain('network|99 %|1.020 %|1.310 %|96 %|92 %|91 %|95 %|24|');
    expect(words(shockTable(judgement))).toContain('network|long|24 h|0.04500|0.0600|0.1900|5.00 %|5.10 %|');
    expect(words(varianceTable(judgement))).toContain('weak|–|0.3100|');
    expect(shockTable({ ...judgement, shocks: [] })).toBe('');
    expect(varianceTable({ ...judgement, variances: [] })).toBe('');
  });
});

import type { ModelScore } from '../models/manifest.ts';

/** Scores of one forecaster in one cell. */
export interface CellScore {
  readonly forecaster: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
  readonly observations: number;
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}

const COLUMNS = [
  'forecaster',
  'symbol',
  'side',
  'horizonHours',
  'confidence',
  'observations',
  'pinball',
  'fz0',
  'exceedanceRate',
] as const;
/** Enough to tell scores apart, and few enough that the file stays small. */
const SIGNIFICANT_DIGITS = 6;

/** Scores by market as they lie in a version's folder, one row a cell. */
export function scoresToCsv(cells: readonly CellScore[]): string {
  const rows = cells.map((cell) => COLUMNS.map((column) => field(cell[column])).join(','));
  return `${[COLUMNS.join(','), ...rows].join('\n')}\n`;
}

/** @throws SyntaxError when it is not such a file. */
export function scoresFromCsv(text: string): CellScore[] {
  const [header, ...lines] = text.trimEnd().split('\n');
  if (header !== COLUMNS.join(',')) throw new SyntaxError('not a file of scores');
  return lines.map((line) => {
    const [forecaster, symbol, side, ...numbers] = line.split(',');
    const [horizonHours, confidence, observations, pinball, fz0, exceedanceRate] = numbers.map(Number);
    if (side !== 'long' && side !== 'short') throw new SyntaxError(`there is no side ${side}`);
    return { forecaster, symbol, side, horizonHours, confidence, observations, pinball, fz0, exceedanceRate };
  });
}

function field(value: string | number): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(SIGNIFICANT_DIGITS))) : value;
}

/** Means over markets, each market counting the same, by forecaster, side, horizon and confidence. */
export function averageOverMarkets(cells: readonly CellScore[]): Omit<CellScore, 'symbol'>[] {
  const groups = new Map<string, CellScore[]>();
  for (const cell of cells) {
    const key = `${cell.forecaster}/${cell.side}/${cell.horizonHours}/${cell.confidence}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].map((group) => {
    const mean = (of: (cell: CellScore) => number): number =>
      group.reduce((sum, cell) => sum + of(cell), 0) / group.length;
    const { forecaster, side, horizonHours, confidence } = group[0];
    return {
      forecaster,
      side,
      horizonHours,
      confidence,
      observations: group.reduce((sum, cell) => sum + cell.observations, 0),
      pinball: mean((cell) => cell.pinball),
      fz0: mean((cell) => cell.fz0),
      exceedanceRate: mean((cell) => cell.exceedanceRate),
    };
  });
}

/** What a manifest and the experiment log keep of a mean over markets. */
export function modelScoreOf({
  forecaster,
  side,
  horizonHours,
  confidence,
  observations,
  pinball,
  fz0,
  exceedanceRate,
}: ModelScore): ModelScore {
  return { forecaster, side, horizonHours, confidence, observations, pinball, fz0, exceedanceRate };
}

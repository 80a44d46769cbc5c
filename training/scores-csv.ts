import type { CellScore } from './evaluate.ts';

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

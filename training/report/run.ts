import { cellIndex, HORIZON_COUNT, pathIndex } from '../../src/forecast/predictor.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';

/** A forecaster in the part it plays in a run; the part gives the colour. */
export interface Player {
  readonly table: ForecastTable;
  readonly part: 'candidate' | 'champion' | 'historical' | 'other';
  /** Of the drawing: `s0` the candidate, `s1` the champion, `s2` historical simulation, `s3`… the others. */
  readonly className: string;
  readonly words: string;
  /** The part, or the name where the part says nothing: for headings with little room. */
  readonly brief: string;
}

/** What a run is drawn from. */
export interface RunTables {
  readonly outcomes: OutcomeTable;
  /** The candidate first, then the champion where there is one, then historical simulation, then the others. */
  readonly players: readonly Player[];
}

const PARTS = ['candidate', 'champion', 'historical', 'other'] as const;
const COLOURS = 8;

/** @param champion null where there was none, or where it is the candidate's own recipe. */
export function playersOf(
  forecasts: readonly ForecastTable[],
  candidate: string,
  champion: string | null,
): readonly Player[] {
  const partOf = (name: string): Player['part'] => {
    if (name === candidate) return 'candidate';
    if (name === champion) return 'champion';
    return name.split('@')[0] === 'historical' ? 'historical' : 'other';
  };
  const sorted = forecasts
    .map((table) => ({ table, part: partOf(table.forecaster) }))
    .toSorted((a, b) => PARTS.indexOf(a.part) - PARTS.indexOf(b.part));
  let others = 3;
  return sorted.map(({ table, part }) => {
    const colour = part === 'other' ? Math.min(others++, COLOURS - 1) : PARTS.indexOf(part);
    const isNamed = part === 'candidate' || part === 'champion';
    const brief = isNamed ? part : table.forecaster.split('@')[0];
    const words = isNamed && table.forecaster !== part ? `${table.forecaster} (${part})` : table.forecaster;
    return { table, part, className: `s${colour}`, words, brief };
  });
}

/** Those that are drawn where all would be a tangle. */
export function leadingPlayers({ players }: RunTables): readonly Player[] {
  return players.filter(({ part }, i) => part !== 'other' || i <= 2).slice(0, 3);
}

/** Realised excursion of a row. */
export function excursionAt(
  { excursions }: OutcomeTable,
  row: number,
  side: number,
  horizon: number,
): number {
  return excursions[pathIndex(row, side, horizon)];
}

/** NaN where the forecaster has no answer. */
export function valueAtRiskAt(
  { valueAtRisk }: ForecastTable,
  row: number,
  side: number,
  horizon: number,
  confidence: number,
): number {
  return valueAtRisk[cellIndex(row, side, horizon, confidence)];
}

/** Rows of each market, ascending by time. */
export function rowsByMarket({ rows, market, symbols }: OutcomeTable): readonly Uint32Array[] {
  const counts = new Uint32Array(symbols.length);
  for (let row = 0; row < rows; row++) counts[market[row]]++;
  const lists = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < rows; row++) lists[market[row]][counts[market[row]]++] = row;
  return lists;
}

/** Position of the horizon in the middle of the report: the longest, which a day trader's margin must live through. */
export const LONGEST = HORIZON_COUNT - 1;

import {
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDE_COUNT,
  SIDES,
} from '../../src/forecast/predictor.ts';
import type { ForecastTable, OutcomeTable } from '../judge/tables.ts';
import { excursionAt, type RunTables } from './run.ts';
import { type Cell, sortableTable } from './table.ts';
import { level, minute, percent, significant } from './text.ts';

/** A loss far beyond its VaR. */
export interface Miss {
  readonly row: number;
  readonly side: number;
  readonly horizon: number;
  readonly loss: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
  /** Loss over VaR. */
  readonly multiple: number;
}

const SHOWN = 25;
const CONFIDENCE = 1;
const SAME_EVENT_MILLISECONDS = 24 * 3_600_000;

/** The largest losses over their VaR at 99 %, one a market, side and day: a single fall is missed from many origins. */
export function worstMisses(outcomes: OutcomeTable, table: ForecastTable, most: number): readonly Miss[] {
  const misses: Miss[] = [];
  for (let row = 0; row < outcomes.rows; row++) {
    for (let side = 0; side < SIDE_COUNT; side++) {
      for (let horizon = 0; horizon < HORIZON_COUNT; horizon++) {
        const cell = cellIndex(row, side, horizon, CONFIDENCE);
        const valueAtRisk = table.valueAtRisk[cell];
        const loss = excursionAt(outcomes, row, side, horizon);
        if (!(loss > valueAtRisk)) continue;
        const expectedShortfall = table.expectedShortfall[cell];
        misses.push({
          row,
          side,
          horizon,
          loss,
          valueAtRisk,
          expectedShortfall,
          multiple: loss / valueAtRisk,
        });
      }
    }
  }
  misses.sort((a, b) => b.multiple - a.multiple);
  const kept: Miss[] = [];
  for (const miss of misses) {
    if (kept.length === most) break;
    const isSame = (other: Miss): boolean =>
      outcomes.market[other.row] === outcomes.market[miss.row] &&
      other.side === miss.side &&
      Math.abs(outcomes.asOf[other.row] - outcomes.asOf[miss.row]) < SAME_EVENT_MILLISECONDS;
    if (!kept.some(isSame)) kept.push(miss);
  }
  return kept;
}

export function worstMissesTable({ outcomes, players }: RunTables): string {
  const misses = worstMisses(outcomes, players[0].table, SHOWN);
  if (misses.length === 0) return '<p>No loss exceeded its VaR.</p>';
  const others = players.filter(({ part }) => part === 'champion' || part === 'historical');
  const columns = [
    { title: 'Market' },
    { title: 'Known at (UTC)', about: 'The time of the forecast' },
    { title: 'Side' },
    { title: 'Horizon', numeric: true },
    { title: 'Loss', numeric: true, about: 'Adverse excursion, share of the price' },
    { title: 'VaR', numeric: true },
    { title: 'ES', numeric: true },
    { title: 'Loss / VaR', numeric: true },
    ...others.map(({ part }) => ({ title: `VaR, ${part}`, numeric: true })),
  ];
  const rows = misses.map(
    ({ row, side, horizon, loss, valueAtRisk, expectedShortfall, multiple }): readonly Cell[] => [
      { text: outcomes.symbols[outcomes.market[row]] },
      { text: minute(outcomes.asOf[row]), sort: outcomes.asOf[row] },
      { text: SIDES[side] },
      { text: `${HORIZONS_HOURS[horizon]} h`, sort: HORIZONS_HOURS[horizon] },
      share(loss),
      share(valueAtRisk),
      share(expectedShortfall),
      { text: `${significant(multiple)}×`, sort: multiple, tone: 'bad' },
      ...others.map(({ table }) => share(table.valueAtRisk[cellIndex(row, side, horizon, CONFIDENCE)])),
    ],
  );
  const caption = `The ${misses.length} worst misses at ${level(CONFIDENCES[CONFIDENCE])}, one a market, side and day`;
  return sortableTable(caption, columns, rows);
}

function share(value: number): Cell {
  return { text: percent(value), sort: value };
}

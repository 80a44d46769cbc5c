import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { pinball } from '../../src/risk/comparison/scores.ts';
import type { OutcomeTable } from '../judge/tables.ts';
import { excursionAt, LONGEST, type Player, type RunTables, rowsByMarket, valueAtRiskAt } from './run.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { level, percent, whole } from './text.ts';

const CONFIDENCE = 1;

/** The candidate against another in one market: geometric mean over cells, and in how many it is better. */
interface MarketDuel {
  readonly ratio: number;
  readonly better: number;
  readonly cells: number;
}

export function marketTable({ outcomes, players }: RunTables): string {
  const [candidate, ...others] = players;
  const columns: Column[] = [
    { title: 'Market' },
    { title: 'forecasts', numeric: true },
    ...SIDES.map((side) => ({
      title: `${side} exceeded`,
      numeric: true,
      about: `Share of ${HORIZONS_HOURS[LONGEST]} h losses of the candidate beyond VaR at ${level(CONFIDENCES[CONFIDENCE])}`,
    })),
    ...others.map(({ brief, words }) => ({
      title: `/ ${brief}`,
      numeric: true,
      about: `Pinball of the candidate over that of ${words}, geometric mean over cells; beside it in how many it is better`,
    })),
  ];
  const byMarket = rowsByMarket(outcomes);
  const rows = outcomes.symbols.flatMap((symbol, m): (readonly Cell[])[] => {
    const own = byMarket[m];
    if (own.length === 0) return [];
    return [
      [
        { text: symbol },
        { text: whole(own.length), sort: own.length },
        ...SIDES.map((_, side) => rateCell(outcomes, candidate, own, side)),
        ...others.map((other) => duelCell(marketDuel(outcomes, candidate, other, own))),
      ],
    ];
  });
  const caption = `By market: exceedance rate at ${level(CONFIDENCES[CONFIDENCE])} over ${HORIZONS_HOURS[LONGEST]} h, pinball loss against others over all cells`;
  return sortableTable(caption, columns, rows);
}

function rateCell(outcomes: OutcomeTable, { table }: Player, rows: Uint32Array, side: number): Cell {
  let [count, hits] = [0, 0];
  for (const row of rows) {
    const valueAtRisk = valueAtRiskAt(table, row, side, LONGEST, CONFIDENCE);
    if (!Number.isFinite(valueAtRisk)) continue;
    count++;
    if (excursionAt(outcomes, row, side, LONGEST) > valueAtRisk) hits++;
  }
  return count === 0 ? { text: '–' } : { text: percent(hits / count), sort: hits / count };
}

/** Null where there is no cell with a loss of both. */
export function marketDuel(
  outcomes: OutcomeTable,
  candidate: Player,
  other: Player,
  rows: Uint32Array,
): MarketDuel | null {
  const own = new Float64Array(CELLS_PER_MARKET);
  const theirs = new Float64Array(CELLS_PER_MARKET);
  for (const row of rows) {
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      const at = cellIndex(row, 0, 0, 0) + cell;
      const [a, b] = [candidate.table.valueAtRisk[at], other.table.valueAtRisk[at]];
      if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
      const loss = outcomes.excursions[row * PATHS_PER_MARKET + Math.floor(cell / CONFIDENCE_COUNT)];
      own[cell] += pinball(loss, a, CONFIDENCES[cell % CONFIDENCE_COUNT]);
      theirs[cell] += pinball(loss, b, CONFIDENCES[cell % CONFIDENCE_COUNT]);
    }
  }
  let [sum, better, cells] = [0, 0, 0];
  for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
    if (!(own[cell] > 0) || !(theirs[cell] > 0)) continue;
    sum += Math.log(own[cell] / theirs[cell]);
    if (own[cell] < theirs[cell]) better++;
    cells++;
  }
  return cells === 0 ? null : { ratio: Math.exp(sum / cells), better, cells };
}

function duelCell(duel: MarketDuel | null): Cell {
  if (duel === null) return { text: '–' };
  const { ratio, better, cells } = duel;
  return {
    text: ratio.toFixed(3),
    detail: `${better}/${cells}`,
    sort: ratio,
    tone: ratio < 1 ? 'good' : 'bad',
  };
}

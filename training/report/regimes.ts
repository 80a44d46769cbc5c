import { CONFIDENCES, HORIZONS_HOURS, SIDE_COUNT } from '../../src/forecast/predictor.ts';
import { pinball } from '../../src/risk/comparison/scores.ts';
import type { OutcomeTable } from '../judge/tables.ts';
import { excursionAt, LONGEST, type Player, type RunTables, valueAtRiskAt } from './run.ts';
import { type Cell, type Column, sortableTable } from './table.ts';
import { level, percent, significant, whole } from './text.ts';

/** A part of the rows with its name. */
interface Regime {
  readonly name: string;
  readonly isIn: (row: number) => boolean;
}

const CONFIDENCE = 1;
/** Farther from its target than this, in either direction, is worth a colour. */
const NOTABLE_FACTOR = 1.5;

/** Of the rows that all players of a comparison forecast: mean pinball loss and exceedance rate, sides together. */
interface RegimeScore {
  readonly pinball: number;
  readonly exceedanceRate: number;
}

export function regimeTables(run: RunTables): string {
  return [1, LONGEST]
    .flatMap((horizon) => [
      regimeTable(run, horizon, 'volatility of the last day', volatilityRegimes(run.outcomes)),
      regimeTable(run, horizon, 'quarter', quarters(run.outcomes)),
    ])
    .join('\n');
}

/** Calm, middle and stress by the fifth of the market's own year that its volatility falls in. */
function volatilityRegimes({ volatilityFifth }: OutcomeTable): readonly Regime[] {
  return [
    { name: 'calm (lowest fifth)', isIn: (row) => volatilityFifth[row] === 0 },
    { name: 'middle (three fifths)', isIn: (row) => volatilityFifth[row] > 0 && volatilityFifth[row] < 4 },
    { name: 'stress (highest fifth)', isIn: (row) => volatilityFifth[row] === 4 },
  ];
}

function quarters({ asOf, rows }: OutcomeTable): readonly Regime[] {
  const nameOf = (time: number): string => {
    const date = new Date(time);
    return `${date.getUTCFullYear()} Q${1 + Math.floor(date.getUTCMonth() / 3)}`;
  };
  const byRow = Array.from({ length: rows }, (_, row) => nameOf(asOf[row]));
  return [...new Set(byRow)].map((name) => ({ name, isIn: (row) => byRow[row] === name }));
}

function regimeTable(run: RunTables, horizon: number, title: string, regimes: readonly Regime[]): string {
  const players = run.players;
  const columns: Column[] = [
    { title },
    { title: 'forecasts', numeric: true },
    ...players.flatMap(({ words, brief, part }) => [
      { title: `exceeded, ${brief}`, numeric: true, about: words },
      part === 'candidate'
        ? { title: 'pinball (% of price)', numeric: true, about: `Mean pinball loss of ${words}` }
        : {
            title: `pinball / ${brief}`,
            numeric: true,
            about: `Pinball of the candidate over that of ${words}; below 1 the candidate is better`,
          },
    ]),
  ];
  const rows = regimes.flatMap((regime) => {
    const { count, scores } = scoresIn(run.outcomes, players, horizon, regime.isIn);
    if (count === 0) return [];
    return [
      [
        { text: regime.name },
        { text: whole(count), sort: count },
        ...players.flatMap(({ part }, p) => [
          rateCell(scores[p].exceedanceRate),
          lossCell(part, scores[p], scores[0]),
        ]),
      ],
    ];
  });
  const caption = `By ${title}: ${level(CONFIDENCES[CONFIDENCE])}, ${HORIZONS_HOURS[horizon]} h, both sides, all markets`;
  return sortableTable(caption, columns, rows);
}

function scoresIn(
  outcomes: OutcomeTable,
  players: readonly Player[],
  horizon: number,
  isIn: (row: number) => boolean,
): { readonly count: number; readonly scores: readonly RegimeScore[] } {
  const losses = new Float64Array(players.length);
  const hits = new Float64Array(players.length);
  let count = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    if (!isIn(row)) continue;
    for (let side = 0; side < SIDE_COUNT; side++) {
      const answers = players.map(({ table }) => valueAtRiskAt(table, row, side, horizon, CONFIDENCE));
      if (!answers.every(Number.isFinite)) continue;
      const loss = excursionAt(outcomes, row, side, horizon);
      count++;
      for (const [p, valueAtRisk] of answers.entries()) {
        losses[p] += pinball(loss, valueAtRisk, CONFIDENCES[CONFIDENCE]);
        if (loss > valueAtRisk) hits[p]++;
      }
    }
  }
  return {
    count,
    scores: players.map((_, p) => ({ pinball: losses[p] / count, exceedanceRate: hits[p] / count })),
  };
}

function rateCell(rate: number): Cell {
  const ratio = rate / (1 - CONFIDENCES[CONFIDENCE]);
  const isNotable = ratio > NOTABLE_FACTOR || ratio < 1 / NOTABLE_FACTOR;
  return { text: percent(rate), sort: rate, tone: isNotable ? (ratio > 1 ? 'bad' : 'soft') : undefined };
}

function lossCell(part: Player['part'], own: RegimeScore, candidate: RegimeScore): Cell {
  if (part === 'candidate') return { text: significant(100 * own.pinball, 4), sort: own.pinball };
  const ratio = candidate.pinball / own.pinball;
  return { text: significant(ratio), sort: ratio, tone: ratio < 1 ? 'good' : 'bad' };
}

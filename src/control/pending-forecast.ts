import type { ForecastCell } from '../limits/types.ts';
import { HOUR_MILLISECONDS } from '../units.ts';

/** Which number of a forecast it is, of one horizon. */
export type CellOfHorizon = Pick<ForecastCell, 'side' | 'confidence'>;

interface HorizonCells {
  readonly horizonHours: number;
  readonly cells: readonly CellOfHorizon[];
  /** Of each cell in the forecast. */
  readonly positions: readonly number[];
}

interface Axes {
  readonly keys: readonly Omit<JudgedCell, 'valueAtRisk'>[];
  readonly horizons: readonly HorizonCells[];
}

type JudgedCell = Pick<ForecastCell, 'side' | 'horizonHours' | 'confidence' | 'valueAtRisk'>;

/** The cells that forecasts have, once for all of them: a day of forecasts of all markets waits to be judged. */
let axes: Axes = { keys: [], horizons: [] };

/** What a forecast said of one horizon. */
export interface DueHorizon {
  readonly horizonHours: number;
  readonly cells: readonly CellOfHorizon[];
  /** Of each of the cells. */
  readonly valuesAtRisk: readonly number[];
}

/** The forecasts of one market in one book, kept until the last of their horizons is over. */
export class PendingForecast {
  /** Whether the forecaster is the one that the book was decided by. */
  readonly isChampion: boolean;
  readonly asOf: number;
  /** When the next of its horizons is over, epoch milliseconds; infinity when all have been judged. */
  due: number;
  readonly #horizons: readonly HorizonCells[];
  readonly #values: Float64Array;
  readonly #from: number;

  /** @param values takes what the cells say, from `from` on: those of all markets of a book are in one piece. */
  constructor(
    asOf: number,
    isChampion: boolean,
    cells: readonly ForecastCell[],
    values: Float64Array,
    from: number,
  ) {
    this.asOf = asOf;
    this.isChampion = isChampion;
    if (!areSame(cells, axes.keys)) axes = axesOf(cells);
    this.#horizons = axes.horizons;
    this.#values = values;
    this.#from = from;
    for (let i = 0; i < cells.length; i++) values[from + i] = cells[i].valueAtRisk;
    this.due = this.#nextAfter(asOf);
  }

  /** The horizons that are over at a time and were not before, the shortest first; the next one becomes due. */
  takeDue(newestClose: number): readonly DueHorizon[] {
    const due: DueHorizon[] = [];
    for (; this.due <= newestClose; this.due = this.#nextAfter(this.due)) {
      const horizonHours = (this.due - this.asOf) / HOUR_MILLISECONDS;
      for (const { horizonHours: hours, cells, positions } of this.#horizons) {
        if (hours !== horizonHours) continue;
        const valuesAtRisk = positions.map((position) => this.#values[this.#from + position]);
        due.push({ horizonHours, cells, valuesAtRisk });
      }
    }
    return due;
  }

  #nextAfter(time: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { horizonHours } of this.#horizons) {
      const end = this.asOf + horizonHours * HOUR_MILLISECONDS;
      if (end > time && end < next) next = end;
    }
    return next;
  }
}

/** Position of a cell among those of its horizon; −1 where it is not among them. */
export function cellOf(cells: readonly CellOfHorizon[], side: string, confidence: number): number {
  for (let i = 0; i < cells.length; i++)
    if (cells[i].confidence === confidence && cells[i].side === side) return i;
  return -1;
}

function axesOf(forecast: readonly ForecastCell[]): Axes {
  const keys = forecast.map(({ side, horizonHours, confidence }) => ({ side, horizonHours, confidence }));
  const horizons = [...new Set(keys.map(({ horizonHours }) => horizonHours))].map((horizonHours) => {
    const positions = [...keys.keys()].filter((i) => keys[i].horizonHours === horizonHours);
    const cells = positions.map((i) => ({ side: keys[i].side, confidence: keys[i].confidence }));
    return { horizonHours, cells, positions };
  });
  return { keys, horizons };
}

function areSame(cells: readonly ForecastCell[], keys: Axes['keys']): boolean {
  if (cells.length !== keys.length) return false;
  for (let i = 0; i < cells.length; i++) {
    const { side, horizonHours, confidence } = keys[i];
    const cell = cells[i];
    if (cell.side !== side || cell.horizonHours !== horizonHours || cell.confidence !== confidence)
      return false;
  }
  return true;
}

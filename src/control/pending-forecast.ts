import type { ForecastCell } from '../limits/types.ts';
import { HOUR_MILLISECONDS } from '../units.ts';

/** What a forecast said of one side and confidence of a horizon. */
export type JudgedCell = Pick<ForecastCell, 'side' | 'horizonHours' | 'confidence' | 'valueAtRisk'>;

type CellKey = Omit<JudgedCell, 'valueAtRisk'>;

/** The cells that forecasts have, once for all of them: a day of forecasts of all markets waits to be judged. */
let axes: readonly CellKey[] = [];

/** The forecasts of one market in one book, kept until the last of their horizons is over. */
export class PendingForecast {
  /** Whether the forecaster is the one that the book was decided by. */
  readonly isChampion: boolean;
  readonly asOf: number;
  /** When the next of its horizons is over, epoch milliseconds; infinity when all have been judged. */
  due: number;
  readonly #keys: readonly CellKey[];
  readonly #values: Float64Array;

  constructor(asOf: number, isChampion: boolean, cells: readonly ForecastCell[]) {
    this.asOf = asOf;
    this.isChampion = isChampion;
    if (!areSame(cells, axes))
      axes = cells.map(({ side, horizonHours, confidence }) => ({ side, horizonHours, confidence }));
    this.#keys = axes;
    this.#values = new Float64Array(cells.length);
    for (let i = 0; i < cells.length; i++) this.#values[i] = cells[i].valueAtRisk;
    this.due = this.#nextAfter(asOf);
  }

  /** The horizons that are over at a time and were not before, the shortest first; the next one becomes due. */
  takeDue(newestClose: number): readonly number[] {
    const hours: number[] = [];
    for (; this.due <= newestClose; this.due = this.#nextAfter(this.due))
      hours.push((this.due - this.asOf) / HOUR_MILLISECONDS);
    return hours;
  }

  cells(horizonHours: number): JudgedCell[] {
    const own: JudgedCell[] = [];
    for (let i = 0; i < this.#keys.length; i++) {
      const { side, confidence, horizonHours: hours } = this.#keys[i];
      if (hours === horizonHours) own.push({ side, horizonHours, confidence, valueAtRisk: this.#values[i] });
    }
    return own;
  }

  #nextAfter(time: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#keys.length; i++) {
      const end = this.asOf + this.#keys[i].horizonHours * HOUR_MILLISECONDS;
      if (end > time && end < next) next = end;
    }
    return next;
  }
}

function areSame(cells: readonly ForecastCell[], keys: readonly CellKey[]): boolean {
  if (cells.length !== keys.length) return false;
  for (let i = 0; i < cells.length; i++) {
    const { side, horizonHours, confidence } = keys[i];
    const cell = cells[i];
    if (cell.side !== side || cell.horizonHours !== horizonHours || cell.confidence !== confidence)
      return false;
  }
  return true;
}

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
    if (!cells.every((cell, i) => isSame(cell, axes[i])) || cells.length !== axes.length)
      axes = cells.map(({ side, horizonHours, confidence }) => ({ side, horizonHours, confidence }));
    this.#keys = axes;
    this.#values = Float64Array.from(cells, ({ valueAtRisk }) => valueAtRisk);
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
    for (const [i, key] of this.#keys.entries())
      if (key.horizonHours === horizonHours) own.push({ ...key, valueAtRisk: this.#values[i] });
    return own;
  }

  #nextAfter(time: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { horizonHours } of this.#keys) {
      const end = this.asOf + horizonHours * HOUR_MILLISECONDS;
      if (end > time && end < next) next = end;
    }
    return next;
  }
}

function isSame(cell: ForecastCell, key: CellKey | undefined): boolean {
  return (
    cell.side === key?.side && cell.horizonHours === key.horizonHours && cell.confidence === key.confidence
  );
}

import { HOUR_MILLISECONDS } from '../src/units.ts';
import type { SeriesPart } from './series-files.ts';

/** From its beginning up to the beginning of the next one, epoch milliseconds. */
export interface Partition {
  readonly from: number;
  readonly to: number;
}

export type PartitionUnit = 'year' | 'month';

/**
 * A file holds a calendar year of hours, or a month of finer bars: some ten thousand rows, half a megabyte. New bars then write one
 * small file again, however long the series is, and all of it is still read from few.
 */
export function partitionUnit(intervalMilliseconds: number): PartitionUnit {
  return intervalMilliseconds < HOUR_MILLISECONDS ? 'month' : 'year';
}

/** The partition that a time lies in; UTC. */
export function partitionOf(time: number, unit: PartitionUnit): Partition {
  const date = new Date(time);
  const [year, month] = [date.getUTCFullYear(), unit === 'month' ? date.getUTCMonth() : 0];
  const next = unit === 'month' ? [year, month + 1] : [year + 1, 0];
  return { from: Date.UTC(year, month), to: Date.UTC(next[0], next[1]) };
}

/** `2024`, `2024-02`. */
export function partitionName({ from }: Partition, unit: PartitionUnit): string {
  return new Date(from).toISOString().slice(0, unit === 'month' ? 7 : 4);
}

export function overlaps({ from, to }: Partition, part: Pick<SeriesPart, 'from' | 'to'>): boolean {
  return part.from < to && part.to >= from;
}

/** What a write touches. */
export interface Touched {
  /** Ascending. */
  readonly partitions: readonly Partition[];
  /** The files that hold something of them. */
  readonly parts: readonly SeriesPart[];
}

/**
 * The partitions that new rows lie in, and the files there. A file that holds several partitions, as older versions wrote
 * them, is touched whole: it is split where it is written again.
 *
 * @param starts where the partitions of the rows begin.
 */
export function touchedBy(
  starts: readonly number[],
  parts: readonly SeriesPart[],
  unit: PartitionUnit,
): Touched {
  const byStart = new Map(starts.map((start) => [start, partitionOf(start, unit)]));
  const touched = new Set<SeriesPart>();
  for (let known = -1; known < touched.size; ) {
    known = touched.size;
    for (const part of parts) {
      if (touched.has(part) || ![...byStart.values()].some((one) => overlaps(one, part))) continue;
      touched.add(part);
      for (const own of partitionsOf(part, unit)) byStart.set(own.from, own);
    }
  }
  return {
    partitions: [...byStart.values()].sort((a, b) => a.from - b.from),
    parts: parts.filter((part) => touched.has(part)),
  };
}

/** Those that a file reaches into. */
export function partitionsOf(part: Pick<SeriesPart, 'from' | 'to'>, unit: PartitionUnit): Partition[] {
  const found = [partitionOf(part.from, unit)];
  while (found[found.length - 1].to <= part.to) found.push(partitionOf(found[found.length - 1].to, unit));
  return found;
}

import type { OverviewMarket } from '../../answers.ts';

/** Leverage against a day ago, as a share of that; 0 where it is the same or was not known. */
export function changeOf({
  maxLeverage,
  dayAgoMaxLeverage,
}: Pick<OverviewMarket, 'maxLeverage' | 'dayAgoMaxLeverage'>): number {
  return dayAgoMaxLeverage === null ? 0 : maxLeverage / dayAgoMaxLeverage - 1;
}

/** Null where one of the prices is not known. */
export function priceChangeOf({
  close,
  dayAgoClose,
}: Pick<OverviewMarket, 'close' | 'dayAgoClose'>): number | null {
  return close === null || dayAgoClose === null || dayAgoClose === 0 ? null : close / dayAgoClose - 1;
}

/** The side that is more likely to meet a shock; null where no forecast tells. */
export function worseShock({ shockProbability: { long, short } }: OverviewMarket): number | null {
  if (long === null || short === null) return long ?? short;
  return Math.max(long, short);
}

/** Whether a symbol holds all that was typed: "btc usdt" too. */
export function matches(symbol: string, wanted: string): boolean {
  return wanted
    .toUpperCase()
    .split(/\s+/)
    .every((part) => symbol.includes(part));
}

/** The most frequent first. */
export function countBy<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return [...counts].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
}

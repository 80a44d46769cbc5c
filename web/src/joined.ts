/**
 * Puts what was read before behind the newest page. Both are newest first and numbered without gaps.
 *
 * @returns the newest page alone where something is missing between the two.
 */
export function joined<Item>(
  newest: readonly Item[],
  older: readonly Item[],
  numberOf: (item: Item) => number,
): readonly Item[] {
  const last = newest.at(-1);
  if (last === undefined) return [];
  const lowest = numberOf(last);
  const rest = older.filter((item) => numberOf(item) < lowest);
  return rest.length > 0 && numberOf(rest[0]) === lowest - 1 ? [...newest, ...rest] : newest;
}

/** "; did you mean NAME?" where a known name is near to the given one, else nothing. For messages about typing slips. */
export function didYouMean(given: string, known: readonly string[]): string {
  let best = { name: '', distance: Math.max(3, given.length / 3) };
  for (const candidate of known) {
    const [a, b] = [given.toLowerCase(), candidate.toLowerCase()];
    // A name that was cut short is near to the whole one, however much is missing.
    const distance = a.length >= 4 && b.startsWith(a) ? 1 : editDistance(a, b);
    if (distance < best.distance) best = { name: candidate, distance };
  }
  return best.name === '' ? '' : `; did you mean ${best.name}?`;
}

/** Levenshtein's distance: the least number of letters to insert, remove or replace. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** Hours in the largest unit that they are a whole number of: 0.5 is "30 minutes", 48 is "2 days". */
export function formatHours(hours: number): string {
  if (hours >= 24 && hours % 24 === 0) return counted(hours / 24, 'day');
  return hours < 1 && Number.isInteger(hours * 60) && hours > 0
    ? counted(hours * 60, 'minute')
    : counted(hours, 'hour');
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** @returns 0 where there is nothing to have a share of. */
export function shareOf(part: string | number, whole: string | number): number {
  const all = Number(whole);
  return all > 0 ? Number(part) / all : 0;
}

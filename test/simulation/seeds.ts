/** A seed that once failed, and what it found. */
export interface FoundBySeed {
  readonly seed: number;
  readonly days: number;
  readonly found: string;
}

/** Each is played again by the tests up to the day on which it failed. */
export const FAILED_SEEDS: readonly FoundBySeed[] = [];

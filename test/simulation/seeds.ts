/** A seed that once failed, and what it found. */
export interface FoundBySeed {
  readonly seed: number;
  readonly days: number;
  readonly found: string;
}

/** Each is played again by the tests up to the day on which it failed. Empty while no seed has found a defect of the product. */
export const FAILED_SEEDS: readonly FoundBySeed[] = [];

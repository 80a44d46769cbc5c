export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/** What a test says, or why it can say nothing: a number that means nothing is never given. */
export type TestOutcome = ({ readonly available: true } & TestResult) | Unavailable;

export interface Unavailable {
  readonly available: false;
  readonly reason: string;
}

export function unavailable(reason: string): Unavailable {
  return { available: false, reason };
}

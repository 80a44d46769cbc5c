/**
 * The policy: what the house is willing to risk, as one value. The policy's hash is written into every decision, so
 * that a book can be replayed under exactly the rules that made it.
 */
export interface Policy {
  readonly name: string;
  /** Confidence of the maintenance margin: the closeout at the trigger is covered with this probability. */
  readonly maintenanceConfidence: number;
  /** Confidence of the expected shortfall behind the initial margin. */
  readonly initialConfidence: number;
  /** Time a user has to answer a margin call before the closeout starts. */
  readonly marginCallHorizonHours: number;
  /** The closeout never counts as quicker than this. */
  readonly minimumCloseoutHorizonHours: number;
  /** A position that takes longer to close out than this is refused: the cap of the last bracket. */
  readonly maximumCloseoutHorizonHours: number;
  /** Share of the traded volume that a closeout may be. */
  readonly participationRatio: number;
  readonly takerFeeRate: number;
  readonly halfSpreadRate: number;
  /** Y of the square-root impact law. */
  readonly impactCoefficient: number;
  /** The traded volume counted on is this quantile of the recent hourly volume: liquidity leaves when it is needed. */
  readonly volumeQuantile: number;
  /** Leverages that a bracket may have, strictly falling, ending in 1. */
  readonly leverageLadder: readonly number[];
  readonly maximumBrackets: number;
  /** Highest leverage of any market. */
  readonly maximumLeverage: number;
  /** Highest leverage while a market's history is shorter than `youngListingDays`. */
  readonly youngListingDays: number;
  readonly youngListingMaximumLeverage: number;
  /** Highest leverage while the data of a market are degraded. */
  readonly degradedMaximumLeverage: number;
  /** The worst excursions of this many days of the market's own past, times `stressMultiplier`, make the stress bound. */
  readonly stressMultiplier: number;
  readonly governor: GovernorPolicy;
  /** A book is valid for this long after it was decided. */
  readonly validityHours: number;
  /** Data older than this make the book degraded. */
  readonly staleAfterHours: number;
  /** Highest leverage of an account in its first `newAccountDays`. */
  readonly newAccountDays: number;
  readonly newAccountMaximumLeverage: number;
}

export interface GovernorPolicy {
  /** One loosening lowers the margin rate at most to previous / loosenMaximumRatio. */
  readonly loosenMaximumRatio: number;
  /** Least time between a market's last change and its next loosening. */
  readonly loosenDelayHours: number;
  /** Loosenings smaller than this ratio are not made. */
  readonly deadBandRatio: number;
}

export const DEFAULT_POLICY: Policy = {
  name: 'default',
  maintenanceConfidence: 0.995,
  initialConfidence: 0.99,
  marginCallHorizonHours: 4,
  minimumCloseoutHorizonHours: 1,
  maximumCloseoutHorizonHours: 24,
  participationRatio: 0.05,
  takerFeeRate: 0.0005,
  halfSpreadRate: 0.0002,
  impactCoefficient: 0.8,
  volumeQuantile: 0.25,
  leverageLadder: [125, 100, 75, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1],
  maximumBrackets: 10,
  maximumLeverage: 100,
  youngListingDays: 90,
  youngListingMaximumLeverage: 10,
  degradedMaximumLeverage: 10,
  stressMultiplier: 1,
  governor: { loosenMaximumRatio: 1.25, loosenDelayHours: 24, deadBandRatio: 1.05 },
  validityHours: 6,
  staleAfterHours: 3,
  newAccountDays: 60,
  newAccountMaximumLeverage: 20,
};

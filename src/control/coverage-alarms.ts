import { CONFIDENCES, HORIZONS_HOURS } from '../forecast/predictor.ts';
import { HOUR_MILLISECONDS } from '../units.ts';

/** Exceedances of one origin, over all markets and both sides whose horizon is over. */
export interface OriginCount {
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly horizonHours: number;
  readonly confidence: number;
  readonly observations: number;
  readonly exceedances: number;
}

/** `exceeded`: VaR is exceeded too often. `overstated`: too seldom, so that limits are tighter than they say. */
export const ALARM_DIRECTIONS = ['exceeded', 'overstated'] as const;
export type AlarmDirection = (typeof ALARM_DIRECTIONS)[number];

/** Probability that a tier whose forecasts are right ever raises an alarm of a direction. */
export const ALARM_ERROR_PROBABILITY = 0.01;

/** A horizon with a confidence, and what is known of its forecasts since its model came into use. */
export interface CoverageTier {
  readonly horizonHours: number;
  readonly confidence: number;
  readonly observations: number;
  readonly exceedances: number;
  /** Origins up to this one are in it. */
  readonly settledUntil: number;
  /** By hour of the horizon: ln of the wealth of each stake. */
  readonly chains: readonly Readonly<Record<AlarmDirection, readonly number[]>>[];
  /** When the alarm was raised, epoch milliseconds; null where it was not. An alarm stays until another model decides. */
  readonly alarmedAt: Readonly<Record<AlarmDirection, number | null>>;
}

/** Plain data of a fixed size, but for the origins of the last hours. */
export interface CoverageAlarmState {
  /** Whose forecasts these are. */
  readonly model: string;
  readonly tiers: readonly CoverageTier[];
  /** Origins that markets may still add to. */
  readonly open: readonly OriginCount[];
}

/** Stakes on too many exceedances times α, then plain shares: with many markets the mean of e-values hardly moves. */
const EXCEEDED_STAKES = [0.25, 0.5, 1, 2, 4, 9];
const PLAIN_STAKES = [0.05, 0.15, 0.4];
const OVERSTATED_STAKES = [0.2, 0.4, 0.6, 0.8, 0.95];
/** An origin is closed this long after its horizon: a market whose bars come later is not in it. */
const LATE_HOURS = 1;

export function newAlarms(model: string): CoverageAlarmState {
  const tiers = HORIZONS_HOURS.flatMap((horizonHours) =>
    CONFIDENCES.map((confidence) => ({
      horizonHours,
      confidence,
      observations: 0,
      exceedances: 0,
      settledUntil: 0,
      chains: Array.from({ length: horizonHours }, () => ({
        exceeded: exceededStakes(confidence).map(() => 0),
        overstated: OVERSTATED_STAKES.map(() => 0),
      })),
      alarmedAt: { exceeded: null, overstated: null },
    })),
  );
  return { model, tiers, open: [] };
}

/**
 * Adds what has come due, and raises alarms that are valid at any time: e-backtesting of VaR (Wang, Wang and Ziegel 2022), with
 * the product form, one process for each tier (confidence × horizon) and direction.
 *
 * Markets move together. So the e-values of an origin's markets and sides, hit / α each, are averaged to one: a mean of e-values
 * is an e-value however they depend on each other. Horizons overlap. So each hour of a horizon has a process of its own, in which
 * forecasts do not; an alarm is raised when one of h reaches h / δ, which happens to right forecasts with probability of at most δ.
 *
 * @param asOf close of the newest bar of the book, epoch milliseconds. @param now when an alarm is raised.
 */
export function withOrigins(
  state: CoverageAlarmState,
  due: readonly OriginCount[],
  asOf: number,
  now: number,
): CoverageAlarmState {
  const open = merged([...state.open, ...due]);
  const isOver = ({ asOf: origin, horizonHours }: OriginCount): boolean =>
    origin + (horizonHours + LATE_HOURS) * HOUR_MILLISECONDS <= asOf;
  const over = open.filter(isOver);
  return {
    model: state.model,
    tiers: state.tiers.map((tier) => {
      let own = tier;
      for (const count of over)
        if (count.horizonHours === tier.horizonHours && count.confidence === tier.confidence)
          own = withOrigin(own, count, now);
      return own;
    }),
    open: open.filter((count) => !isOver(count)),
  };
}

/** Oldest first, one for each origin of a tier. */
function merged(counts: readonly OriginCount[]): OriginCount[] {
  const byOrigin = new Map<string, OriginCount>();
  for (const count of counts) {
    const key = `${count.asOf}/${count.horizonHours}/${count.confidence}`;
    const before = byOrigin.get(key);
    byOrigin.set(key, {
      ...count,
      observations: count.observations + (before?.observations ?? 0),
      exceedances: count.exceedances + (before?.exceedances ?? 0),
    });
  }
  return [...byOrigin.values()].sort((a, b) => a.asOf - b.asOf);
}

function withOrigin(tier: CoverageTier, count: OriginCount, now: number): CoverageTier {
  const { asOf, observations, exceedances } = count;
  if (asOf <= tier.settledUntil || observations === 0) return tier;
  const rate = exceedances / observations;
  const target = 1 - tier.confidence;
  const at = (asOf / HOUR_MILLISECONDS) % tier.horizonHours;
  const chains = [...tier.chains];
  const { exceeded, overstated } = chains[at];
  const stakes = exceededStakes(tier.confidence);
  chains[at] = {
    exceeded: exceeded.map((log, j) => log + Math.log1p(stakes[j] * (rate / target - 1))),
    overstated: overstated.map(
      (log, j) => log + Math.log1p(OVERSTATED_STAKES[j] * ((1 - rate) / tier.confidence - 1)),
    ),
  };
  const grown = {
    ...tier,
    observations: tier.observations + observations,
    exceedances: tier.exceedances + exceedances,
    settledUntil: asOf,
    chains,
  };
  const raised = (direction: AlarmDirection): number | null =>
    tier.alarmedAt[direction] ?? (tierEvidence(grown, direction) >= 1 / ALARM_ERROR_PROBABILITY ? now : null);
  return { ...grown, alarmedAt: { exceeded: raised('exceeded'), overstated: raised('overstated') } };
}

/** The e-value of a tier: of its chains the best, divided by their number. */
export function tierEvidence({ chains }: CoverageTier, direction: AlarmDirection): number {
  let best = Number.NEGATIVE_INFINITY;
  for (const chain of chains) best = Math.max(best, logMean(chain[direction]));
  return Math.min(Math.exp(Math.min(best - Math.log(chains.length), 20)), LARGEST_E_VALUE);
}

/** More than a million says as much as infinity would. */
const LARGEST_E_VALUE = 1e6;

function exceededStakes(confidence: number): readonly number[] {
  return [...EXCEEDED_STAKES.map((share) => Math.min(share * (1 - confidence), 0.5)), ...PLAIN_STAKES];
}

function logMean(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - largest);
  return largest + Math.log(sum / logs.length);
}

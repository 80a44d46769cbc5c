import { HOUR_MILLISECONDS, ppmToRate } from '../units.ts';
import type { BoundContext } from './bounds/bound.ts';
import { type BoundedMarket, boundMarket } from './bounds/combine.ts';
import { rejectedBound } from './bounds/data-quality.ts';
import { FORECAST_BOUNDS } from './bounds/forecast.ts';
import { BINDING_REASON } from './bounds/reason-codes.ts';
import { scheduleFaults } from './brackets.ts';
import { GENESIS_HASH, sealBook } from './chain.ts';
import type { ForecastAxes } from './curve.ts';
import { survivalProbability } from './distribution.ts';
import { freezeOf, isEmergency } from './governance.ts';
import { type Circumstances, type GovernedSchedule, govern, type InForce } from './governor.ts';
import {
  type MarketInput,
  type SourceForecast,
  shownForecast,
  type UsableInput,
  usableInput,
} from './market-input.ts';
import { type Policy, policyHash } from './policy.ts';
import type {
  Bound,
  BoundName,
  Bracket,
  ForecastCell,
  GovernorRecord,
  LimitBook,
  MarketLimit,
  ReasonCode,
  ShockCell,
  SideProbability,
} from './types.ts';

const SIDE_NAMES = ['long', 'short'] as const;

/** What a whole decision needs beside the markets. */
export interface DecisionContext extends BoundContext {
  /** Id of the shock model that forecast, or null where the classical predictors stood in for all markets. */
  readonly model: string | null;
  readonly inputsHash: string;
  /** Whether the clock is behind the last decision; absent for no. `decideBook` sees it by itself. */
  readonly clockWentBack?: boolean;
  /**
   * Whether this decision is about the given markets alone: all others stay exactly as they are, and the book is valid
   * no longer than the one before. Absent for no.
   */
  readonly keepsOthers?: boolean;
}

/**
 * The next book: every market decided on its own, so that one with bad input leaves the others as they are. Markets of
 * the previous book that have no input any more are held. The same arguments give the same book, to the bit.
 */
export function decideBook(
  inputs: readonly MarketInput[],
  previous: LimitBook | null,
  given: DecisionContext,
): LimitBook {
  const context = withoutGoingBack(given, previous);
  const { policy, decidedAt, keepsOthers = false } = context;
  const before = new Map(previous?.markets.map((market) => [market.symbol, market]));
  const bySymbol = new Map(inputs.map((input) => [input.symbol, input]));
  const decided = [...bySymbol.values()].map((input) =>
    decideMarket(input, before.get(input.symbol) ?? null, context),
  );
  const missing = (previous?.markets ?? [])
    .filter((market) => !bySymbol.has(market.symbol))
    .map((market) => (keepsOthers ? market : holdMissing(market, context)));
  const markets = [...decided, ...missing].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  const reasons = bookReasons(markets, context.model);
  return sealBook({
    version: (previous?.version ?? 0) + 1,
    previousHash: previous?.hash ?? GENESIS_HASH,
    decidedAt,
    effectiveAt: decidedAt,
    validUntil:
      keepsOthers && previous !== null
        ? previous.validUntil
        : decidedAt + policy.validityHours * HOUR_MILLISECONDS,
    asOf: markets.reduce((newest, market) => Math.max(newest, market.asOf), 0),
    degraded: reasons.some((reason) => DEGRADING.has(reason)),
    simulated: markets.some((market) => market.simulated),
    reasons,
    model: context.model,
    policyHash: policyHash(policy),
    inputsHash: context.inputsHash,
    markets,
  });
}

/** No book is older than the one before it: a clock that went back stands still until it is there again. */
function withoutGoingBack(context: DecisionContext, previous: LimitBook | null): DecisionContext {
  if (previous === null || context.decidedAt >= previous.decidedAt) return context;
  return { ...context, decidedAt: previous.decidedAt, clockWentBack: true };
}

/** Reasons that make a book degraded when any market has them. */
const DEGRADING: ReadonlySet<ReasonCode> = new Set([
  'DATA_STALE',
  'DATA_REJECTED',
  'MARKET_MISSING',
  'MODEL_UNAVAILABLE',
]);

function bookReasons(markets: readonly MarketLimit[], model: string | null): readonly ReasonCode[] {
  const reasons = new Set<ReasonCode>();
  if (model === null) reasons.add('MODEL_UNAVAILABLE');
  for (const market of markets) {
    for (const reason of market.reasons) {
      if (DEGRADING.has(reason) || reason === 'SIMULATED') reasons.add(reason);
    }
  }
  return [...reasons].sort();
}

/**
 * One market's limit. What cannot be computed holds the schedule in force, and where there is none it gives the most
 * conservative one.
 */
export function decideMarket(
  raw: MarketInput,
  previous: MarketLimit | null,
  context: DecisionContext,
): MarketLimit {
  const { policy, axes } = context;
  const input = usableInput(raw, axes);
  const bounded = input.quality === 'reject' ? null : boundSafely(input, context, previous);
  const schedule = governed(bounded, input, previous, context);
  const faults = scheduleFaults(schedule.brackets);
  const safe = faults.length === 0 ? schedule : heldSchedule(input.symbol, previous, context);
  const binding = bindingOf(bounded, safe.record, faults);
  const shown = shownForecast(input);
  const { announced, maintenance } = safe;
  // In the order of canonical JSON, like all that is in a market: see `canonicalJson`.
  return {
    ...(announced === undefined ? {} : { announced }),
    asOf: input.asOf,
    bindingBound: binding,
    ...boundStateOf(bounded, previous),
    bounds: [...(bounded?.bounds ?? [rejectedBound(input)]), governorBound(safe.record)],
    brackets: safe.brackets,
    forecasts: shown === null ? [] : forecastCells(shown, axes),
    governor: safe.record,
    ...(maintenance === undefined ? {} : { maintenance }),
    model: shown?.predictor ?? 'none',
    quality: input.quality,
    reasons: reasonsFor(input, bounded, binding, safe),
    shockProbability: shockProbabilityAtCap(shown, safe.brackets[0], axes, policy),
    shocks: shown === null ? [] : shockCells(shown, axes),
    simulated: input.simulated,
    symbol: input.symbol,
  };
}

/** A market that cannot be bounded remembers what its bounds knew before. */
function boundStateOf(
  bounded: BoundedMarket | null,
  previous: MarketLimit | null,
): Pick<MarketLimit, 'boundState'> {
  const state = bounded?.state ?? previous?.boundState;
  return state === undefined ? {} : { boundState: state };
}

function boundSafely(
  input: UsableInput,
  context: BoundContext,
  previous: MarketLimit | null,
): BoundedMarket | null {
  try {
    return boundMarket(input, context, previous?.boundState);
  } catch {
    // A defect in one market's input must not take the book of all others with it; the market is held and says so.
    return null;
  }
}

function governed(
  bounded: BoundedMarket | null,
  input: UsableInput,
  previous: MarketLimit | null,
  context: DecisionContext,
): GovernedSchedule {
  if (bounded === null) return heldSchedule(input.symbol, previous, context);
  const { policy, decidedAt } = context;
  const mayLoosen = isBeyondDoubt(input, bounded);
  const circumstances = circumstancesOf(input.symbol, context);
  return govern(bounded.target, inForceOf(previous), mayLoosen, policy, decidedAt, circumstances);
}

/** What is in force stays so for new orders; without anything the most conservative schedule. */
function heldSchedule(
  symbol: string,
  previous: MarketLimit | null,
  context: DecisionContext,
): GovernedSchedule {
  const { policy, decidedAt } = context;
  return govern(null, inForceOf(previous), false, policy, decidedAt, circumstancesOf(symbol, context));
}

function inForceOf(previous: MarketLimit | null): InForce | null {
  if (previous === null) return null;
  const { brackets, maintenance, announced, governor } = previous;
  return { brackets, maintenance, announced, changedAt: governor.changedAt, paced: governor.paced };
}

function circumstancesOf(symbol: string, context: DecisionContext): Circumstances {
  const { governance, decidedAt, clockWentBack = false } = context;
  return {
    freeze: freezeOf(governance, symbol, decidedAt),
    emergency: isEmergency(governance, decidedAt) ? governance.emergency : null,
    clockWentBack,
  };
}

function heldTablesOf({
  maintenance,
  announced,
}: GovernedSchedule): Pick<MarketLimit, 'maintenance' | 'announced'> {
  return {
    ...(maintenance === undefined ? {} : { maintenance }),
    ...(announced === undefined ? {} : { announced }),
  };
}

/**
 * Whether a market may loosen at all. Without any of its forecasts it may not: each is a bound of its own, so one that
 * fails would otherwise give back what it took.
 */
function isBeyondDoubt(input: UsableInput, { doubts }: BoundedMarket): boolean {
  return (
    !input.stale &&
    input.quality === 'accept' &&
    input.stress !== null &&
    FORECAST_BOUNDS.every((name) => input[name].unavailable === '') &&
    doubts.length === 0
  );
}

function isClassicalMissing({ historical, filtered, tail }: UsableInput): boolean {
  return [historical, filtered, tail].every(({ unavailable }) => unavailable !== '');
}

function holdMissing(previous: MarketLimit, context: DecisionContext): MarketLimit {
  const schedule = heldSchedule(previous.symbol, previous, context);
  const { maintenance: _, announced: __, ...rest } = previous;
  return {
    ...rest,
    ...heldTablesOf(schedule),
    reasons: [
      'GOVERNOR_HOLDS',
      'MARKET_MISSING',
      ...governorReasons(schedule),
      ...(previous.simulated ? (['SIMULATED'] as const) : []),
    ],
    governor: schedule.record,
  };
}

function bindingOf(
  bounded: BoundedMarket | null,
  record: GovernorRecord,
  faults: readonly string[],
): BoundName {
  if (bounded === null || faults.length > 0) return 'dataQuality';
  return record.publishedMaxLeverage < record.targetMaxLeverage ? 'governor' : bounded.binding;
}

function governorBound(record: GovernorRecord): Bound {
  return {
    available: true,
    evidence: {
      move: record.move,
      previousMaxLeverage: record.previousMaxLeverage,
      targetMaxLeverage: record.targetMaxLeverage,
    },
    maxLeverage: record.publishedMaxLeverage < record.targetMaxLeverage ? record.publishedMaxLeverage : null,
    name: 'governor',
    unavailableReason: '',
    version: '1',
  };
}

const MOVE_REASON = {
  initial: 'FIRST_DECISION',
  tighten: 'GOVERNOR_TIGHTENED',
  loosen: 'GOVERNOR_LOOSENED',
  hold: null,
} as const;

/** What the governor did, and why. */
function governorReasons(schedule: GovernedSchedule): readonly ReasonCode[] {
  const { move, paced, emergency, frozen } = schedule.record;
  const reasons: readonly (ReasonCode | null)[] = [
    MOVE_REASON[move],
    paced === true ? 'GOVERNOR_PACED' : null,
    emergency === undefined ? null : 'GOVERNOR_EMERGENCY',
    frozen === undefined ? null : 'GOVERNOR_FROZEN',
    schedule.isAnnounced ? 'MAINTENANCE_ANNOUNCED' : null,
    schedule.isRaised ? 'MAINTENANCE_RAISED' : null,
    schedule.clockWentBack ? 'CLOCK_WENT_BACK' : null,
  ];
  return reasons.filter((reason) => reason !== null);
}

/** The reason that binds comes first. */
function reasonsFor(
  input: UsableInput,
  bounded: BoundedMarket | null,
  binding: BoundName,
  schedule: GovernedSchedule,
): readonly ReasonCode[] {
  const reasons = new Set<ReasonCode>([BINDING_REASON[binding], ...governorReasons(schedule)]);
  if (input.shockModel.unavailable !== '') reasons.add('CLASSICAL_FALLBACK');
  if (isClassicalMissing(input)) reasons.add('HISTORY_SHORT');
  if (input.stale) reasons.add('DATA_STALE');
  if (input.quality === 'degrade') reasons.add('DATA_DEGRADED');
  if (input.quality === 'reject' || bounded === null) reasons.add('DATA_REJECTED');
  for (const doubt of bounded?.doubts ?? []) reasons.add(doubt);
  if (input.simulated) reasons.add('SIMULATED');
  return [...reasons];
}

/** Probability that a position opened at the top leverage reaches its liquidation trigger within the margin-call horizon. */
function shockProbabilityAtCap(
  source: SourceForecast | null,
  top: Bracket,
  axes: ForecastAxes,
  policy: Policy,
): SideProbability {
  if (source === null) return { long: null, short: null };
  const horizon = axes.horizonsHours.indexOf(policy.marginCallHorizonHours);
  const probability = (side: number, excursion: number): number => {
    const cell = (side * axes.horizonsHours.length + horizon) * axes.confidences.length;
    const quantiles = source.valueAtRisk.subarray(cell, cell + axes.confidences.length);
    return survivalProbability(excursion, quantiles, axes.confidences);
  };
  // Equity IMR − x meets the maintenance margin of what is left, MMR · (1 − x) for a long and MMR · (1 + x) for a short.
  const maintenance = ppmToRate(top.maintenanceMarginRatePpm);
  const buffer = ppmToRate(top.initialMarginRatePpm) - maintenance;
  return {
    long: probability(0, buffer / (1 - maintenance)),
    short: probability(1, buffer / (1 + maintenance)),
  };
}

/** The keys of these many objects are in the order of canonical JSON, so that they need not be sorted for each book. */
function forecastCells(source: SourceForecast, axes: ForecastAxes): readonly ForecastCell[] {
  const cells: ForecastCell[] = [];
  for (const side of SIDE_NAMES) {
    for (const horizonHours of axes.horizonsHours) {
      for (const confidence of axes.confidences) {
        const cell = cells.length;
        cells.push({
          confidence,
          expectedShortfall: source.expectedShortfall[cell],
          horizonHours,
          side,
          valueAtRisk: source.valueAtRisk[cell],
        });
      }
    }
  }
  return cells;
}

function shockCells(source: SourceForecast, axes: ForecastAxes): readonly ShockCell[] {
  const cells: ShockCell[] = [];
  for (const side of SIDE_NAMES) {
    for (const horizonHours of axes.horizonsHours) {
      const path = cells.length;
      cells.push({
        horizonHours,
        probability: source.shockProbability[path],
        side,
        threshold: source.shockThreshold[path],
      });
    }
  }
  return cells;
}

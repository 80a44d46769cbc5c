import { HOUR_MILLISECONDS, ppmToRate } from '../units.ts';
import type { BoundContext } from './bounds/bound.ts';
import { type BoundedMarket, boundMarket } from './bounds/combine.ts';
import { rejectedBound } from './bounds/data-quality.ts';
import { FORECAST_BOUNDS } from './bounds/forecast.ts';
import { BINDING_REASON } from './bounds/reason-codes.ts';
import { mostConservativeBrackets, scheduleFaults } from './brackets.ts';
import { GENESIS_HASH, sealBook } from './chain.ts';
import type { ForecastAxes } from './curve.ts';
import { survivalProbability } from './distribution.ts';
import { type GovernedSchedule, govern } from './governor.ts';
import { type MarketInput, type SourceForecast, type UsableInput, usableInput } from './market-input.ts';
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
}

/**
 * The next book: every market decided on its own, so that one with bad input leaves the others as they are. Markets of
 * the previous book that have no input any more are held. The same arguments give the same book, to the bit.
 */
export function decideBook(
  inputs: readonly MarketInput[],
  previous: LimitBook | null,
  context: DecisionContext,
): LimitBook {
  const { policy, decidedAt } = context;
  const before = new Map(previous?.markets.map((market) => [market.symbol, market]));
  const bySymbol = new Map(inputs.map((input) => [input.symbol, input]));
  const decided = [...bySymbol.values()].map((input) =>
    decideMarket(input, before.get(input.symbol) ?? null, context),
  );
  const missing = (previous?.markets ?? []).filter((market) => !bySymbol.has(market.symbol)).map(holdMissing);
  const markets = [...decided, ...missing].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  const reasons = bookReasons(markets, context.model);
  return sealBook({
    version: (previous?.version ?? 0) + 1,
    previousHash: previous?.hash ?? GENESIS_HASH,
    decidedAt,
    effectiveAt: decidedAt,
    validUntil: decidedAt + policy.validityHours * HOUR_MILLISECONDS,
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
  const schedule =
    bounded === null ? holdOrRefuse(previous, context) : governed(bounded, input, previous, context);
  const faults = scheduleFaults(schedule.brackets);
  const safe = faults.length === 0 ? schedule : holdOrRefuse(previous, context);
  const binding = bindingOf(bounded, safe.record, faults);
  const shown = shownForecast(input);
  return {
    symbol: input.symbol,
    brackets: safe.brackets,
    bindingBound: binding,
    bounds: [...(bounded?.bounds ?? [rejectedBound(input)]), governorBound(safe.record)],
    reasons: reasonsFor(input, bounded, binding, safe.record),
    governor: safe.record,
    ...boundStateOf(bounded, previous),
    quality: input.quality,
    simulated: input.simulated,
    asOf: input.asOf,
    shockProbability: shockProbabilityAtCap(shown, safe.brackets[0], axes, policy),
    model: shown?.predictor ?? 'none',
    forecasts: shown === null ? [] : forecastCells(shown, axes),
    shocks: shown === null ? [] : shockCells(shown, axes),
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
  bounded: BoundedMarket,
  input: UsableInput,
  previous: MarketLimit | null,
  { policy, decidedAt }: DecisionContext,
): GovernedSchedule {
  const inForce =
    previous === null ? null : { brackets: previous.brackets, changedAt: previous.governor.changedAt };
  return govern(bounded.target, inForce, isBeyondDoubt(input, bounded), policy, decidedAt);
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

function holdOrRefuse(
  previous: MarketLimit | null,
  { policy, decidedAt }: DecisionContext,
): GovernedSchedule {
  if (previous !== null) {
    const record: GovernorRecord = {
      ...previous.governor,
      move: 'hold',
      previousMaxLeverage: previous.governor.publishedMaxLeverage,
      targetMaxLeverage: previous.governor.publishedMaxLeverage,
    };
    return { brackets: previous.brackets, record };
  }
  return {
    brackets: mostConservativeBrackets(),
    record: {
      move: 'initial',
      previousMaxLeverage: null,
      targetMaxLeverage: 1,
      publishedMaxLeverage: 1,
      changedAt: decidedAt,
      looseningAllowedAt: decidedAt + policy.governor.loosenDelayHours * HOUR_MILLISECONDS,
    },
  };
}

function holdMissing(previous: MarketLimit): MarketLimit {
  const { publishedMaxLeverage } = previous.governor;
  return {
    ...previous,
    reasons: ['GOVERNOR_HOLDS', 'MARKET_MISSING', ...(previous.simulated ? (['SIMULATED'] as const) : [])],
    governor: {
      ...previous.governor,
      move: 'hold',
      previousMaxLeverage: publishedMaxLeverage,
      targetMaxLeverage: publishedMaxLeverage,
    },
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
    name: 'governor',
    maxLeverage: record.publishedMaxLeverage < record.targetMaxLeverage ? record.publishedMaxLeverage : null,
    available: true,
    unavailableReason: '',
    evidence: {
      move: record.move,
      previousMaxLeverage: record.previousMaxLeverage,
      targetMaxLeverage: record.targetMaxLeverage,
    },
    version: '1',
  };
}

const MOVE_REASON = {
  initial: 'FIRST_DECISION',
  tighten: 'GOVERNOR_TIGHTENED',
  loosen: 'GOVERNOR_LOOSENED',
  hold: null,
} as const;

/** The reason that binds comes first. */
function reasonsFor(
  input: UsableInput,
  bounded: BoundedMarket | null,
  binding: BoundName,
  record: GovernorRecord,
): readonly ReasonCode[] {
  const reasons = new Set<ReasonCode>([BINDING_REASON[binding]]);
  const move = MOVE_REASON[record.move];
  if (move !== null) reasons.add(move);
  if (input.shockModel.unavailable !== '') reasons.add('CLASSICAL_FALLBACK');
  if (isClassicalMissing(input)) reasons.add('HISTORY_SHORT');
  if (input.stale) reasons.add('DATA_STALE');
  if (input.quality === 'degrade') reasons.add('DATA_DEGRADED');
  if (input.quality === 'reject' || bounded === null) reasons.add('DATA_REJECTED');
  for (const doubt of bounded?.doubts ?? []) reasons.add(doubt);
  if (input.simulated) reasons.add('SIMULATED');
  return [...reasons];
}

/** The forecast that readers see: the shock model's, or the best classical one that stood in. */
function shownForecast(input: UsableInput): SourceForecast | null {
  return (
    [input.shockModel, input.filtered, input.historical].find((source) => source.unavailable === '') ?? null
  );
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

function forecastCells(source: SourceForecast, axes: ForecastAxes): readonly ForecastCell[] {
  const cells: ForecastCell[] = [];
  for (const side of SIDE_NAMES) {
    for (const horizonHours of axes.horizonsHours) {
      for (const confidence of axes.confidences) {
        const cell = cells.length;
        cells.push({
          side,
          horizonHours,
          confidence,
          valueAtRisk: source.valueAtRisk[cell],
          expectedShortfall: source.expectedShortfall[cell],
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
        side,
        horizonHours,
        threshold: source.shockThreshold[path],
        probability: source.shockProbability[path],
      });
    }
  }
  return cells;
}

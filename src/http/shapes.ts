import type { z } from 'zod';
import { isoTime } from '../clock.ts';
import type { AuditEntry, HistoryEntry, TrainingRun } from '../control/ports.ts';
import type { CoverageReport } from '../control/reads.ts';
import { boundDistance } from '../limits/bounds/distance.ts';
import type { Policy } from '../limits/policy.ts';
import { activityShape, maintenanceShape, scheduleShape } from '../limits/shapes.ts';
import type { Bracket, LimitBook, MarketLimit } from '../limits/types.ts';
import { formatWhole } from '../units.ts';
import type { auditEntrySchema } from './audit-schemas.ts';
import type { coverageSchema, trainingRunsSchema } from './model-schemas.ts';
import type {
  bracketsSchema,
  explainSchema,
  forecastSchema,
  historySchema,
  limitsSchema,
  marketsSchema,
} from './schemas.ts';
import type { userPolicySchema } from './user-schemas.ts';

// Books and entries in the shapes of the contract. Types come from the schemas, so that neither can drift.

/** What every answer from a book carries. `isExpired`: its validity is over, so it is degraded whatever it said. */
export function publishedShape(book: LimitBook, isExpired: boolean) {
  return {
    version: book.version,
    hash: book.hash,
    decidedAt: isoTime(book.decidedAt),
    effectiveAt: isoTime(book.effectiveAt),
    validUntil: isoTime(book.validUntil),
    degraded: book.degraded || isExpired,
    simulated: book.simulated,
  };
}

export function bracketsShape(
  book: LimitBook,
  market: MarketLimit,
  brackets: readonly Bracket[],
  isExpired: boolean,
): z.infer<typeof bracketsSchema> {
  return {
    symbol: market.symbol,
    ...publishedShape(book, isExpired),
    simulated: market.simulated,
    ...tablesShape(market, brackets),
  };
}

/** What new orders and open positions are held to. */
export function tablesShape(market: MarketLimit, brackets = market.brackets) {
  return { brackets: scheduleShape(brackets), ...maintenanceShape(market) };
}

export function limitsShape(book: LimitBook, isExpired: boolean): z.infer<typeof limitsSchema> {
  return {
    ...limitsHeadShape(book, isExpired),
    markets: book.markets.map((market) => ({ ...limitShape(market), ...tablesShape(market) })),
  };
}

/** What the limits say of the book as a whole. */
export function limitsHeadShape(book: LimitBook, isExpired: boolean) {
  return {
    ...publishedShape(book, isExpired),
    previousHash: book.previousHash,
    asOf: isoTime(book.asOf),
    model: book.model,
    policyHash: book.policyHash,
    inputsHash: book.inputsHash,
    reasons: [...book.reasons],
    total: book.markets.length,
  };
}

/** A market among all limits, without its tables. */
export function limitShape(market: MarketLimit) {
  return {
    symbol: market.symbol,
    maxLeverage: market.brackets[0].maxLeverage,
    bindingBound: market.bindingBound,
    shockProbability: { ...market.shockProbability },
    ...activityShape(market),
  };
}

export function marketsShape(book: LimitBook, isExpired: boolean): z.infer<typeof marketsSchema> {
  return {
    ...publishedShape(book, isExpired),
    total: book.markets.length,
    markets: book.markets.map((market) => ({
      symbol: market.symbol,
      maxLeverage: market.brackets[0].maxLeverage,
      notionalCap: formatWhole(market.brackets[market.brackets.length - 1].notionalCap),
      bindingBound: market.bindingBound,
      shockProbability: { ...market.shockProbability },
      quality: market.quality,
      asOf: isoTime(market.asOf),
      simulated: market.simulated,
      reasons: [...market.reasons],
    })),
  };
}

export function explainShape(
  book: LimitBook,
  market: MarketLimit,
  isExpired: boolean,
  governance: z.infer<typeof explainSchema>['governance'],
): z.infer<typeof explainSchema> {
  const { changedAt, looseningAllowedAt, frozen, ...governor } = market.governor;
  return {
    symbol: market.symbol,
    ...publishedShape(book, isExpired),
    simulated: market.simulated,
    asOf: isoTime(market.asOf),
    bindingBound: market.bindingBound,
    reasons: [...market.reasons],
    bounds: market.bounds.map((bound) => ({
      ...bound,
      evidence: { ...bound.evidence },
      ...boundDistance(bound, market),
    })),
    governor: {
      ...governor,
      changedAt: isoTime(changedAt),
      looseningAllowedAt: isoTime(looseningAllowedAt),
      ...(frozen === undefined ? {} : { frozen: { ...frozen, frozenAt: isoTime(frozen.frozenAt) } }),
    },
    governance,
    model: {
      id: market.model,
      shockModel: book.model,
      policyHash: book.policyHash,
      inputsHash: book.inputsHash,
    },
  };
}

export function forecastShape(book: LimitBook, market: MarketLimit): z.infer<typeof forecastSchema> {
  return {
    symbol: market.symbol,
    version: book.version,
    asOf: isoTime(market.asOf),
    model: market.model,
    simulated: market.simulated,
    forecasts: market.forecasts.map((cell) => ({ ...cell })),
    shockProbability: market.shocks.map((cell) => ({ ...cell })),
    tails: tailsOf(market.forecasts),
  };
}

/** The Pareto law beyond the highest confidence of each path, from its VaR and ES: ES = VaR / (1 − tail index). */
function tailsOf(forecasts: MarketLimit['forecasts']): z.infer<typeof forecastSchema>['tails'] {
  const highest = Math.max(...forecasts.map(({ confidence }) => confidence));
  return forecasts
    .filter(({ confidence }) => confidence === highest)
    .map(({ side, horizonHours, confidence, valueAtRisk, expectedShortfall }) => ({
      side,
      horizonHours,
      confidence,
      tailIndex: expectedShortfall > valueAtRisk ? 1 - valueAtRisk / expectedShortfall : 0,
    }));
}

export function historyShape(
  symbol: string,
  entries: readonly HistoryEntry[],
): z.infer<typeof historySchema> {
  return {
    symbol,
    total: entries.length,
    changes: entries.map((entry) => ({
      ...entry,
      reasons: [...entry.reasons],
      decidedAt: isoTime(entry.decidedAt),
      effectiveAt: isoTime(entry.effectiveAt),
    })),
  };
}

export function userPolicyShape(policy: Policy): z.infer<typeof userPolicySchema> {
  const { openInterestShare, dailyVolumeShare, experienceClasses } = policy.users;
  return {
    newAccountDays: policy.newAccountDays,
    newAccountMaximumLeverage: policy.newAccountMaximumLeverage,
    maximumNotionalCoef: policy.maximumNotionalCoef,
    notionalCoefRaisesLastCap: policy.notionalCoefRaisesLastCap,
    openInterestShare,
    dailyVolumeShare,
    experienceClasses: experienceClasses.map(({ name, maximumLeverage }) => ({ name, maximumLeverage })),
  };
}

export function trainingRunsShape(runs: readonly TrainingRun[]): z.infer<typeof trainingRunsSchema> {
  return {
    total: runs.length,
    runs: runs.map((run) => ({
      ...run,
      startedAt: isoTime(run.startedAt),
      finishedAt: run.finishedAt === null ? null : isoTime(run.finishedAt),
    })),
  };
}

export function coverageShape({ model, tiers, drift }: CoverageReport): z.infer<typeof coverageSchema> {
  const time = (value: number | null): string | null => (value === null ? null : isoTime(value));
  return {
    model,
    tiers: tiers.map(({ alarmedAt, ...tier }) => ({
      ...tier,
      alarmedAt: { exceeded: time(alarmedAt.exceeded), overstated: time(alarmedAt.overstated) },
    })),
    drift:
      drift === null
        ? null
        : {
            windowDays: drift.windowDays,
            features: drift.features.map((feature) => ({ ...feature })),
            residuals: drift.residuals.map((residual) => ({ ...residual })),
            scores: drift.scores.map((score) => ({ ...score })),
            drifted: [...drift.drifted],
          },
  };
}

export function auditEntryShape(entry: AuditEntry): z.infer<typeof auditEntrySchema> {
  return { ...entry, at: isoTime(entry.at), details: { ...entry.details } };
}

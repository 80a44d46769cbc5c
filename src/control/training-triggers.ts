import { DAY_MILLISECONDS } from '../units.ts';
import type { CoverageAlarmState } from './coverage-alarms.ts';
import type { TrainingTrigger } from './ports.ts';

/** What is stored of a market, as far as it decides whether it can be trained on. */
export interface StoredMarket {
  readonly symbol: string;
  readonly simulated: boolean;
  /** Span of its bars, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** What the model that decides was trained on. */
export interface TrainedOn {
  /** As its forecasts name it. */
  readonly model: string;
  readonly markets: readonly string[];
  readonly simulated: boolean;
}

/** Causes that a training was started for. Each is answered once for a model: one that did not help would not help again tomorrow. */
export interface AnsweredCauses {
  readonly model: string;
  readonly causes: readonly string[];
}

export interface TrainingCause {
  readonly trigger: TrainingTrigger;
  /** Names it among those that were answered. */
  readonly name: string;
  /** For people. */
  readonly words: string;
}

/** History after which a market is trained on: a few hundred origins that no horizon joins. */
export const TRAINABLE_DAYS = 90;
/** A market that ended is no reason to train for it. */
const FRESH_DAYS = 2;

/** Why a training should be started now, those that were answered left out. Lost coverage first. */
export function trainingCauses(
  trained: TrainedOn,
  alarms: CoverageAlarmState | null,
  stored: readonly StoredMarket[],
  drifted: readonly string[],
  answered: AnsweredCauses,
): readonly TrainingCause[] {
  const causes = [
    ...coverageCauses(trained, alarms),
    ...driftCauses(drifted),
    ...newMarkets(trained, stored),
  ];
  const known = answered.model === trained.model ? answered.causes : [];
  return causes.filter(({ name }) => !known.includes(name));
}

function coverageCauses({ model }: TrainedOn, alarms: CoverageAlarmState | null): TrainingCause[] {
  if (alarms?.model !== model) return [];
  return alarms.tiers
    .filter(({ alarmedAt }) => alarmedAt.exceeded !== null)
    .map(({ horizonHours, confidence, observations, exceedances }) => ({
      trigger: 'coverage',
      name: `coverage/${horizonHours}h/${confidence}`,
      words: `VaR at ${confidence} over ${horizonHours} h was exceeded ${exceedances} times in ${observations} forecasts`,
    }));
}

function driftCauses(drifted: readonly string[]): TrainingCause[] {
  return drifted.map((what) => ({
    trigger: 'drift',
    name: `drift/${what}`,
    words: `${what} is further from the training span than any month of it usually was`,
  }));
}

/** Only of the kind that the model was trained on: simulated markets are no reason to train a model of real ones. */
function newMarkets({ markets, simulated }: TrainedOn, stored: readonly StoredMarket[]): TrainingCause[] {
  const newest = Math.max(0, ...stored.map(({ to }) => to));
  const isNew = (market: StoredMarket): boolean =>
    market.simulated === simulated &&
    !markets.includes(market.symbol) &&
    market.to - market.from >= TRAINABLE_DAYS * DAY_MILLISECONDS &&
    newest - market.to <= FRESH_DAYS * DAY_MILLISECONDS;
  const symbols = [...new Set(stored.filter(isNew).map(({ symbol }) => symbol))].sort();
  return symbols.map((symbol) => ({
    trigger: 'new-market',
    name: `market/${symbol}`,
    words: `${symbol} has ${TRAINABLE_DAYS} days of history and was not trained on`,
  }));
}

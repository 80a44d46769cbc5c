import { PlimsollError } from '../../src/errors.ts';
import { antiProcyclicalPredictor } from '../../src/forecast/anti-procyclical.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  PATHS_PER_MARKET,
  SIDES,
} from '../../src/forecast/predictor.ts';
import { maintenanceOf } from '../../src/limits/brackets.ts';
import { decideMarket } from '../../src/limits/decide.ts';
import { NO_GOVERNANCE } from '../../src/limits/governance.ts';
import type { MarketInput, MarketWideInput, SourceForecast } from '../../src/limits/market-input.ts';
import type { Policy } from '../../src/limits/policy.ts';
import type { MarketLimit } from '../../src/limits/types.ts';
import { openInterestAt } from '../../src/risk/open-interest.ts';
import { type StressExcursion, stressExcursion } from '../../src/risk/portfolio/stress.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../../src/units.ts';
import { countedVolumes } from './execution.ts';
import { noticeHoursOf } from './notice.ts';
import { PathRecorder, type SchedulePath } from './schedule-path.ts';
import type { CellTape, MarketTape, SampleTape, Tape } from './tape.ts';

const AXES = { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES };

/**
 * Walks one market through the tape under a policy: at the close of every hour the decision of the service, with its governor and what the last
 * decision left. Data are taken as good; nobody freezes or overrides anything; open interest is known as far as it is stored.
 *
 * @param everyHours a decision is made every so many hours; the table stays what it is in between.
 */
export function replayPolicy(tape: Tape, market: MarketTape, policy: Policy, everyHours = 1): SchedulePath {
  const hours = market.bars.length;
  const recorder = new PathRecorder(market.symbol, hours);
  const inputAt = inputsOf(market, policy);
  const base = { policy, axes: AXES, model: market.shockModelId, inputsHash: '', governance: NO_GOVERNANCE };
  let previous: MarketLimit | null = null;
  for (let hour = 0; hour < hours; hour++) {
    const decidedAt = market.bars.openTime[hour] + HOUR_MILLISECONDS;
    if (previous === null || (decidedAt / HOUR_MILLISECONDS) % everyHours === 0) {
      const context = { ...base, decidedAt, marketWide: marketWideAt(tape, decidedAt) };
      const decided: MarketLimit = decideMarket(inputAt(hour), previous, context);
      const noticeHours = noticeHoursOf(previous, decided, decidedAt);
      if (noticeHours !== null) recorder.notice(noticeHours);
      previous = decided;
    }
    recorder.record(hour, previous.brackets, maintenanceOf(previous));
  }
  return recorder.path();
}

function marketWideAt(tape: Tape, at: number): MarketWideInput | null {
  const hour = Math.round((at - tape.from) / HOUR_MILLISECONDS);
  const commonShock = tape.commonShock[hour];
  if (!(tape.judgedMarkets[hour] > 0) || Number.isNaN(commonShock)) return null;
  return {
    markets: tape.judgedMarkets[hour],
    stressedShare: tape.stressedShare[hour],
    commonShock,
    source: 'excursions of the last day',
  };
}

function inputsOf(market: MarketTape, policy: Policy): (hour: number) => MarketInput {
  const { bars, symbol, listedAt, dailyVolatility, openInterest } = market;
  const shockModel = cellsReader(market.shockModelId, market.shockModel);
  const historical = sampleReader('historical@1', market.historical);
  const filtered = sampleReader('filtered@1', market.filtered);
  const tail = sampleReader('tail@1', market.tail);
  const antiProcyclical = floorReader(market, policy);
  const stress = stressReader(market, policy);
  const volumes = countedVolumes(market, policy.volumeQuantile);
  return (hour) => {
    const asOf = bars.openTime[hour] + HOUR_MILLISECONDS;
    const hourlyVolume = volumes[hour];
    const isLiquid = hourlyVolume > 0 && Number.isFinite(dailyVolatility[hour]);
    return {
      symbol,
      simulated: false,
      asOf,
      quality: 'accept',
      qualityFindings: [],
      historyDays: (asOf - listedAt) / DAY_MILLISECONDS,
      stale: false,
      shockModel: shockModel(hour),
      historical: historical(hour),
      filtered: filtered(hour),
      tail: tail(hour),
      antiProcyclical: antiProcyclical(hour),
      stress: stress(hour),
      liquidity: isLiquid ? { hourlyVolume, dailyVolatility: dailyVolatility[hour] } : null,
      openInterest: openInterestAt(openInterest, asOf),
    };
  };
}

const NO_PATHS = new Float64Array(PATHS_PER_MARKET);

function unavailable(predictor: string, reason: string): SourceForecast {
  return {
    predictor,
    unavailable: reason,
    valueAtRisk: new Float64Array(CELLS_PER_MARKET),
    expectedShortfall: new Float64Array(CELLS_PER_MARKET),
    shockThreshold: NO_PATHS,
    shockProbability: NO_PATHS,
  };
}

/** The arrays of an answer are written anew by the next one: a decision copies what it keeps. */
function cellsReader(predictor: string, cells: CellTape): (hour: number) => SourceForecast {
  const none = unavailable(predictor, 'no fit had seen enough history');
  const source = unavailable(predictor, '');
  return (hour) => {
    const from = hour * CELLS_PER_MARKET;
    if (Number.isNaN(cells.valueAtRisk[from])) return none;
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      source.valueAtRisk[cell] = cells.valueAtRisk[from + cell];
      source.expectedShortfall[cell] = cells.expectedShortfall[from + cell];
    }
    return source;
  };
}

function sampleReader(predictor: string, sample: SampleTape): (hour: number) => SourceForecast {
  const none = unavailable(predictor, 'history is too short');
  const source = unavailable(predictor, '');
  return (hour) => {
    const row = sample.row[hour];
    if (row < 0) return none;
    const scale = sample.scale?.[hour] ?? 1;
    const from = row * CELLS_PER_MARKET;
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      // Nobody loses more than the price on a long; on a short there is no such bound.
      const most = cell < CELLS_PER_MARKET / 2 ? 1 : Number.MAX_VALUE;
      source.valueAtRisk[cell] = Math.min(sample.valueAtRisk[from + cell] * scale, most);
      source.expectedShortfall[cell] = Math.min(sample.expectedShortfall[from + cell] * scale, most);
    }
    return source;
  };
}

function floorReader(market: MarketTape, policy: Policy): (hour: number) => SourceForecast {
  const predictor = antiProcyclicalPredictor(policy.bounds.antiProcyclical);
  if (predictor === null) {
    const none = unavailable('none', 'the policy has no floor');
    return () => none;
  }
  const floor = market.floors.get(predictor.idWithSettings);
  // A floor that is missing holds a market from loosening: what was measured would be another policy.
  if (floor === undefined)
    throw new PlimsollError(
      'INTERNAL',
      `the tape of ${market.symbol} has no floor ${predictor.idWithSettings}`,
      {
        remedy: 'Put it beside the tape by withFloors before the policy is walked.',
      },
    );
  return sampleReader(predictor.id, floor);
}

function stressReader(
  { worst, historical }: MarketTape,
  policy: Policy,
): (hour: number) => MarketInput['stress'] {
  let current: MarketInput['stress'] = { excursion: new Float64Array(PATHS_PER_MARKET), source: '' };
  let known = -2;
  return (hour) => {
    const row = historical.row[hour];
    if (row === known) return current;
    known = row;
    const own = (side: number): Float64Array =>
      Float64Array.from({ length: HORIZON_COUNT }, (_, h) =>
        row < 0 ? 0 : worst[row * PATHS_PER_MARKET + side * HORIZON_COUNT + h],
      );
    const ownWorst = { long: own(0), short: own(1) };
    const found = (side: 'long' | 'short', hours: number): StressExcursion =>
      stressExcursion(ownWorst, side, hours);
    const excursion = Float64Array.from(
      SIDES.flatMap((side) => HORIZONS_HOURS.map((hours) => found(side, hours).excursion)),
    );
    const atCall = SIDES.map((side) => found(side, policy.marginCallHorizonHours));
    current = {
      excursion,
      source: (atCall[0].excursion >= atCall[1].excursion ? atCall[0] : atCall[1]).source,
    };
    return current;
  };
}

import { Random } from '../../src/random.ts';
import type { BarSeries } from '../../src/risk/bars.ts';
import { MICROS, PPM } from '../../src/units.ts';
import type { Execution } from './execution.ts';
import type { SchedulePath } from './schedule-path.ts';

/**
 * The traders of a backtest: they come at random, hold for a while, and take all the leverage that they get. Each entry is a long and a short of
 * every size, so that nothing but the tables differs between two backtests.
 */
export interface TraderRules {
  /** Mean hours between two entries of a market. */
  readonly entryEveryHours: number;
  /** Mean of an exponential law, and what it is cut at. */
  readonly meanHoldingHours: number;
  readonly maximumHoldingHours: number;
  /** Sizes in quote units; all sizes together carry the same notional, as if there were ten times as many of a tenth the size. */
  readonly notionals: readonly number[];
  /** Share of the traders that answer margin calls. */
  readonly answerRatio: number;
  /** A call comes when equity at the close is below this share of the way from maintenance to initial margin. */
  readonly callRatio: number;
  /** After so many answers a trader gives up. */
  readonly maximumAnswers: number;
  readonly seed: string;
}

export const DEFAULT_TRADER_RULES: TraderRules = {
  entryEveryHours: 4,
  meanHoldingHours: 24,
  maximumHoldingHours: 168,
  notionals: [1_000, 10_000, 100_000, 1_000_000, 10_000_000],
  answerRatio: 0.5,
  callRatio: 0.25,
  maximumAnswers: 3,
  seed: 'traders',
};

/** Sums over positions, each in units of its own notional. */
export interface Dealings {
  /** Positions that were asked for. */
  positions: number;
  /** Those of them that no bracket takes: counted with a leverage of 0. */
  refused: number;
  leverage: number;
  /** Of the ones that were opened: years that they were meant to be held. */
  years: number;
  liquidations: number;
  /** Loss beyond the margin, which falls on the insurance fund, in units of the notional. */
  badDebt: number;
  marginCalls: number;
}

export function noDealings(): Dealings {
  return { positions: 0, refused: 0, leverage: 0, years: 0, liquidations: 0, badDebt: 0, marginCalls: 0 };
}

/** Who comes when, for how long, and whether he answers. */
interface Entries {
  readonly count: number;
  readonly hour: Int32Array;
  readonly holdingHours: Int32Array;
  readonly answers: Uint8Array;
}

const HOURS_OF_YEAR = 8760;

/**
 * Lets the traders of one market deal under a table.
 *
 * @param isCounted by hour: whether positions of it count; others are as if nobody had come.
 */
export function deal(
  bars: BarSeries,
  path: SchedulePath,
  execution: Execution,
  rules: TraderRules,
  isCounted: Uint8Array,
): Dealings {
  const dealings = noDealings();
  const tables = new FlatSchedules(path);
  const entries = entriesOf(path.symbol, bars.length, rules);
  for (let e = 0; e < entries.count; e++) {
    const hour = entries.hour[e];
    const table = path.opening[hour];
    if (table < 0 || isCounted[hour] === 0) continue;
    for (const notional of rules.notionals) {
      const leverage = tables.maxLeverage(table, notional);
      for (let sign = -1; sign <= 1; sign += 2) {
        dealings.positions++;
        dealings.leverage += leverage;
        if (leverage === 0) dealings.refused++;
        else {
          const last = Math.min(hour + entries.holdingHours[e], bars.length - 1);
          dealings.years += (last - hour) / HOURS_OF_YEAR;
          const answers = entries.answers[e] === 1 ? rules.maximumAnswers : 0;
          hold(
            bars,
            path.maintenance,
            tables,
            execution,
            rules,
            hour,
            last,
            sign,
            notional,
            leverage,
            answers,
            dealings,
          );
        }
      }
    }
  }
  return dealings;
}

function entriesOf(symbol: string, hours: number, rules: TraderRules): Entries {
  const random = new Random(`${rules.seed} ${symbol}`);
  const most = Math.ceil((4 * hours) / rules.entryEveryHours) + 16;
  const hour = new Int32Array(most);
  const holdingHours = new Int32Array(most);
  const answers = new Uint8Array(most);
  let count = 0;
  // The last hour cannot be held.
  for (
    let at = waiting(random, rules.entryEveryHours);
    at < hours - 1 && count < most;
    at += waiting(random, rules.entryEveryHours)
  ) {
    hour[count] = Math.floor(at);
    holdingHours[count] = Math.min(
      Math.ceil(waiting(random, rules.meanHoldingHours)),
      rules.maximumHoldingHours,
    );
    answers[count++] = random.uniform() < rules.answerRatio ? 1 : 0;
  }
  return { count, hour, holdingHours, answers };
}

/** Exponential, by inversion. */
function waiting(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.uniform());
}

/**
 * One position from its entry to its end. In each bar the worst price comes first: a position whose equity there is not above its maintenance
 * margin is liquidated, at the trigger or at the open where that is beyond it. Otherwise it may be called at the close.
 */
function hold(
  bars: BarSeries,
  maintenance: Int32Array,
  tables: FlatSchedules,
  execution: Execution,
  { callRatio }: TraderRules,
  entry: number,
  last: number,
  sign: number,
  notional: number,
  leverage: number,
  answers: number,
  dealings: Dealings,
): void {
  const entryPrice = bars.close[entry];
  const quantity = notional / entryPrice;
  let margin = notional / leverage;
  const worst = sign > 0 ? bars.low : bars.high;
  for (let bar = entry + 1; bar <= last; bar++) {
    const table = maintenance[bar - 1];
    const atWorst = quantity * worst[bar];
    if (margin + sign * (atWorst - notional) <= tables.maintenanceMargin(table, atWorst)) {
      const trigger = tables.triggerPrice(table, sign, quantity, notional, margin, worst[bar]);
      const isGap = sign > 0 ? bars.open[bar] < trigger : bars.open[bar] > trigger;
      const from = isGap ? bars.open[bar] : trigger;
      const proceeds = closeout(bars, execution, bar, sign, quantity, from);
      dealings.liquidations++;
      dealings.badDebt += Math.max(-(margin + sign * (proceeds - notional)), 0) / notional;
      return;
    }
    const atClose = quantity * bars.close[bar];
    const equity = margin + sign * (atClose - notional);
    const required = tables.maintenanceMargin(table, atClose);
    const initial = atClose / leverage;
    if (equity < required + callRatio * (initial - required)) {
      dealings.marginCalls++;
      if (answers > 0 && initial > equity) {
        answers--;
        margin += initial - equity;
      }
    }
  }
}

/**
 * What the exchange gets for a position (or pays, for a short), after all costs. It is worked off at the participation limit; of the bar in which it
 * begins the mean of the first price and the bar's worst one is got, of later bars the mean of close and worst price.
 */
function closeout(
  bars: BarSeries,
  execution: Execution,
  bar: number,
  sign: number,
  quantity: number,
  from: number,
): number {
  const worst = sign > 0 ? bars.low : bars.high;
  const volume = execution.hourlyVolume[bar - 1];
  const notional = quantity * from;
  const perHour = execution.participationRatio * volume;
  const hours = Math.max(perHour > 0 ? notional / perHour : Number.POSITIVE_INFINITY, 1);
  let left = 1;
  let value = 0;
  for (let at = bar; left > 0 && at < bars.length; at++) {
    const share = at === bars.length - 1 ? left : Math.min(1 / hours, left);
    value += share * (at === bar ? from + worst[at] : bars.close[at] + worst[at]) * 0.5;
    left -= share;
    if (left < 1e-12) left = 0;
  }
  const daily = 24 * volume;
  const impact =
    daily > 0
      ? (2 / 3) *
        execution.impactCoefficient *
        execution.dailyVolatility[bar - 1] *
        Math.sqrt(notional / daily)
      : 1;
  const cost = Math.min(execution.fixedCostRate + impact, 1);
  return quantity * value * (1 - sign * cost);
}

/** Tables as columns, for loops over positions. */
export class FlatSchedules {
  readonly #first: Int32Array;
  readonly #cap: Float64Array;
  readonly #leverage: Float64Array;
  readonly #rate: Float64Array;
  readonly #amount: Float64Array;

  constructor({ schedules }: SchedulePath) {
    const brackets = schedules.flat();
    this.#first = new Int32Array(schedules.length + 1);
    for (const [i, schedule] of schedules.entries()) this.#first[i + 1] = this.#first[i] + schedule.length;
    this.#cap = Float64Array.from(brackets, ({ notionalCap }) => notionalCap);
    this.#leverage = Float64Array.from(brackets, ({ maxLeverage }) => maxLeverage);
    this.#rate = Float64Array.from(
      brackets,
      ({ maintenanceMarginRatePpm }) => maintenanceMarginRatePpm / PPM,
    );
    this.#amount = Float64Array.from(
      brackets,
      ({ maintenanceAmountMicros }) => maintenanceAmountMicros / MICROS,
    );
  }

  /** 0 where the notional is refused. */
  maxLeverage(table: number, notional: number): number {
    const end = this.#first[table + 1];
    for (let i = this.#first[table]; i < end; i++) if (notional <= this.#cap[i]) return this.#leverage[i];
    return 0;
  }

  maintenanceMargin(table: number, notional: number): number {
    const i = this.#bracket(table, notional);
    return notional * this.#rate[i] - this.#amount[i];
  }

  /**
   * The price at which equity meets the maintenance margin, in the bracket that holds there: margin + s · (q p − n) = q p · rate − amount. Equity
   * falls faster than the maintenance margin rises, so there is one such price between entry and worst.
   */
  triggerPrice(
    table: number,
    sign: number,
    quantity: number,
    notional: number,
    margin: number,
    worst: number,
  ): number {
    let i = this.#bracket(table, quantity * worst);
    for (;;) {
      const price = (sign * notional - margin - this.#amount[i]) / (quantity * (sign - this.#rate[i]));
      const holds = this.#bracket(table, quantity * price);
      if (holds === i || !Number.isFinite(price)) return Number.isFinite(price) ? price : worst;
      // A long's notional rises from the worst price to the trigger, a short's falls: the search goes one way.
      if (sign > 0 ? holds < i : holds > i) return price;
      i = holds;
    }
  }

  /** The last one for what has grown beyond it. */
  #bracket(table: number, notional: number): number {
    const last = this.#first[table + 1] - 1;
    for (let i = this.#first[table]; i < last; i++) if (notional <= this.#cap[i]) return i;
    return last;
  }
}

import { table } from '../src/cli/command.ts';
import { DEFAULT_POLICY, type Policy } from '../src/limits/policy.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../src/units.ts';
import { everyHour, walkPolicy } from '../training/backtest/backtest.ts';
import { makeTape } from '../training/backtest/make-tape.ts';
import type { Measures } from '../training/backtest/measures.ts';
import { solveMonotone } from '../training/backtest/solve.ts';
import { DEFAULT_TRADER_RULES } from '../training/backtest/traders.ts';
import { DEFAULT_EVERY_HOURS } from '../training/job.ts';
import { DEFAULT_MODEL_OPTIONS } from '../training/train.ts';
import { REFIT_DAYS } from '../training/trial.ts';
import { filledStore } from './history.ts';
import { print } from './measure.ts';

/**
 * Leverage at an equal risk: policies whose initial margin is that of a day, each with the margin multiplier at which one in a hundred excursions of a
 * day goes beyond it, over one year, on the perpetual markets that traded all of it and most of the one before. What is granted and how it moved is
 * that of the published tables, with the governor on. An argument names another year.
 */
const YEAR = Number(process.argv[3] ?? 2024);
const FROM = Date.UTC(YEAR, 0, 1);
const UNTIL = Date.UTC(YEAR + 1, 0, 1) - DAY_MILLISECONDS;
const LEAST_PAST_DAYS = 310;
const BREACH_RATE = 0.01;

/** Every whole leverage: what a coarser ladder would round away is not what is compared. */
const DAILY: Policy = {
  ...DEFAULT_POLICY,
  marginCallHorizonHours: 24,
  leverageLadder: Array.from({ length: 40 }, (_, i) => 40 - i),
};
const { bounds, governor } = DAILY;
const stepped = { ...governor, tightenMaximumRatio: 1.8, tightenPaceHours: 24 };
const alone = {
  ...bounds,
  filteredUse: 'none',
  tailUse: 'none',
  marketWide: { ...bounds.marketWide, maximumFactor: 1 },
} as const;
const POLICIES: readonly (readonly [name: string, policy: Policy])[] = [
  ['historical simulation alone', { ...DAILY, bounds: { ...alone, modelMaximumRatio: 1 } }],
  ['all bounds', DAILY],
  ['all bounds, a daily step of 1.8', { ...DAILY, governor: stepped }],
  ['historical, model up to 1.25 times it', { ...DAILY, bounds: { ...alone, modelMaximumRatio: 1.25 } }],
  [
    'historical, model up to 2 times it, a daily step of 1.8',
    { ...DAILY, governor: stepped, bounds: { ...alone, modelMaximumRatio: 2 } },
  ],
];

const { store, remove } = await filledStore();
const markets = await store.loadMarkets();
remove();
const tape = await makeTape(markets, {
  from: FROM,
  until: UNTIL,
  refitDays: REFIT_DAYS,
  everyHours: DEFAULT_EVERY_HOURS,
  model: { ...DEFAULT_MODEL_OPTIONS, onProgress: () => {}, interrupted: new AbortController().signal },
  pieces: null,
  onPhase: (phase, share, remark) => {
    if (phase === 'fit') print(`${remark}, ${(100 * share).toFixed(0)} %`);
  },
});
const judged = new Set(markets.filter(spansBothYears).map(({ symbol }) => symbol));
const stage = {
  tape: { ...tape, markets: tape.markets.filter(({ symbol }) => judged.has(symbol)) },
  // Nobody trades: only tables are looked at.
  rules: { ...DEFAULT_TRADER_RULES, notionals: [] },
  policy: DAILY,
  decisionHours: 1,
};
const rows = POLICIES.map(([name, policy]) => {
  let measures: Measures | null = null;
  const multiplier = solveMonotone(BREACH_RATE, [0.1, 4], (marginMultiplier) => {
    measures = walkPolicy(stage, { ...policy, marginMultiplier }, everyHour).measures;
    return measures.exceedanceRate;
  });
  if (multiplier === null || measures === null) return [name, 'out of reach'];
  const found: Measures = measures;
  const percent = (value: number, digits = 0): string => `${(100 * value).toFixed(digits)} %`;
  return [
    name,
    multiplier.toFixed(3),
    percent(found.exceedanceRate, 2),
    `${found.hourlyLeverage.toFixed(2)}x`,
    percent(found.largestRise1Day),
    percent(found.largestRise30Days),
    found.peakToTrough.toFixed(2),
  ];
});
print(`${stage.tape.markets.length} markets, ${YEAR}`);
print(
  table(
    ['policy', 'margins', 'breached', 'mean leverage', 'rise in a day', 'in 30 days', 'peak to trough'],
    rows,
  ),
);

function spansBothYears({ source, bars }: MarketHistory): boolean {
  const last = bars.openTime[bars.length - 1] + HOUR_MILLISECONDS;
  return (
    source.includes('-perp-') &&
    bars.openTime[0] <= FROM - LEAST_PAST_DAYS * DAY_MILLISECONDS &&
    last >= UNTIL
  );
}

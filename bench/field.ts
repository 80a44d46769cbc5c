import { stopwatchSeconds } from '../src/clock.ts';
import { DAY_MILLISECONDS } from '../src/units.ts';
import { buildDataset } from '../training/dataset.ts';
import { classicalField, FIELD_METHODS, type FieldMethod } from '../training/field/field.ts';
import { outcomeTable } from '../training/judge/outcomes.ts';
import { rowsBetween } from '../training/splits.ts';
import { isEvery, JUDGED_EVERY_HOURS, REFIT_DAYS } from '../training/trial.ts';
import { expandingFolds } from '../training/walk-forward.ts';
import { filledStore } from './history.ts';
import { print } from './measure.ts';

/** How long the whole classical field takes on one market, by years that are forecast, and which of its methods take the time. */
const SYMBOL = process.argv[3] ?? 'BTCUSDT';
const YEAR = 365 * DAY_MILLISECONDS;

const { store, remove } = await filledStore();
const markets = (await store.loadMarkets()).filter(({ symbol }) => symbol === SYMBOL);
remove();
const data = buildDataset(markets, JUDGED_EVERY_HOURS, Number.MAX_SAFE_INTEGER);
const { asOf, rows } = data.features;
const end = asOf[rows - 1] + 1;

async function seconds(years: number, methods: readonly FieldMethod[]): Promise<number> {
  const folds = expandingFolds(Math.max(end - years * YEAR, asOf[0]), end, REFIT_DAYS);
  const judged = rowsBetween(asOf, folds[0].from, end).filter((row) =>
    isEvery(data, row, JUDGED_EVERY_HOURS),
  );
  const outcomes = outcomeTable(markets, data, judged, folds);
  const since = stopwatchSeconds();
  await classicalField(markets, outcomes, folds, methods, () => {});
  return stopwatchSeconds() - since;
}

for (const years of [1, 2, 3, 5])
  print(
    `${FIELD_METHODS.length} forecasters, ${years} years of ${SYMBOL}: ${(await seconds(years, FIELD_METHODS)).toFixed(1)} s`,
  );
for (const method of FIELD_METHODS) print(`${method}, 5 years: ${(await seconds(5, [method])).toFixed(1)} s`);

import { averageOverMarkets, type CellScore } from '../../training/scores.ts';
import { table } from './command.ts';

/** The confidence and the horizon that decide leverage under the default policy. */
const SHOWN_CONFIDENCE = 0.99;
const SHOWN_HORIZON_HOURS = 4;

/** Pinball loss and exceedance rate of every forecaster, one market a line, worse side first would hide a side: both. */
export function scoresByMarket(cells: readonly CellScore[]): string {
  const shown = cells.filter(
    ({ confidence, horizonHours }) => confidence === SHOWN_CONFIDENCE && horizonHours === SHOWN_HORIZON_HOURS,
  );
  const forecasters = [...new Set(shown.map(({ forecaster }) => forecaster))];
  const groups = new Map<string, CellScore[]>();
  for (const cell of shown) {
    const key = `${cell.symbol} ${cell.side}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const rows = [...groups.values()].map((group) => [
    group[0].symbol,
    group[0].side,
    String(group[0].observations),
    ...columns(forecasters, group),
  ]);
  rows.sort((a, b) => (a[0] === b[0] ? 0 : a[0] < b[0] ? -1 : 1));
  const title = `pinball loss (percent of price) and exceedance rate at ${100 * SHOWN_CONFIDENCE} %, ${SHOWN_HORIZON_HOURS} hours`;
  return `${title}\n${table(['market', 'side', 'n', ...headers(forecasters)], rows)}`;
}

/** Means over markets of every horizon. */
export function scoresOverMarkets(cells: readonly CellScore[]): string {
  const means = averageOverMarkets(cells).filter(({ confidence }) => confidence === SHOWN_CONFIDENCE);
  const forecasters = [...new Set(means.map(({ forecaster }) => forecaster))];
  const groups = new Map<string, (typeof means)[number][]>();
  for (const cell of means) {
    const key = `${cell.side} ${cell.horizonHours}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const rows = [...groups.values()].map((group) => [
    group[0].side,
    `${group[0].horizonHours} h`,
    String(group[0].observations),
    ...columns(forecasters, group),
  ]);
  const title = `mean over markets at ${100 * SHOWN_CONFIDENCE} %`;
  return `${title}\n${table(['side', 'horizon', 'n', ...headers(forecasters)], rows)}`;
}

/** More forecasters than this side by side are wider than a terminal. */
const MOST_SIDE_BY_SIDE = 3;

/** Which forecasters have columns of their own; of many, the first and historical simulation, and the best of the others of each line shares one. */
function ownColumns(forecasters: readonly string[]): readonly string[] {
  return forecasters.length <= MOST_SIDE_BY_SIDE
    ? forecasters
    : forecasters.filter((name, i) => i === 0 || name === 'historical');
}

function headers(forecasters: readonly string[]): string[] {
  const own = ownColumns(forecasters);
  return [
    ...own.flatMap((forecaster) => [forecaster, 'exceeded']),
    ...(own.length < forecasters.length ? ['best other', 'exceeded', 'which is'] : []),
  ];
}

function columns(forecasters: readonly string[], cells: readonly Omit<CellScore, 'symbol'>[]): string[] {
  const own = ownColumns(forecasters);
  const others = cells.filter(({ forecaster }) => !own.includes(forecaster));
  const best = others.reduce<(typeof cells)[number] | null>(
    (least, cell) => (least === null || cell.pinball < least.pinball ? cell : least),
    null,
  );
  return [
    ...own.flatMap((forecaster) => shown(cells.find((one) => one.forecaster === forecaster))),
    ...(own.length < forecasters.length ? [...shown(best ?? undefined), best?.forecaster ?? ''] : []),
  ];
}

function shown(cell: Omit<CellScore, 'symbol'> | undefined): string[] {
  if (cell === undefined) return ['', ''];
  return [(100 * cell.pinball).toFixed(4), `${(100 * cell.exceedanceRate).toFixed(2)}%`];
}

import {
  CONFIDENCES,
  cellIndex,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDE_COUNT,
} from '../../src/forecast/predictor.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { excursionAt, type RunTables, rowsByMarket } from './run.ts';
import { escapeHtml, level, percent, significant } from './text.ts';

const CONFIDENCE = 1;
const MOST_POINTS = 260;
/** Shares of the price are told in parts of ten thousand. */
const PARTS = 10_000;

/** One market as the page draws it. Short names: it is written once for each market. */
interface MarketView {
  readonly n: string;
  /** Hours since the epoch of the points of the line. */
  readonly t: readonly number[];
  readonly p: readonly number[];
  /** By horizon and side: VaR of the points, in parts of ten thousand; −1 where there is none. */
  readonly v: readonly (readonly number[])[];
  /** By horizon: every exceedance as hour, price, side, loss, VaR, flat. */
  readonly e: readonly (readonly number[])[];
  /** By horizon: forecasts made, both sides. */
  readonly c: readonly number[];
}

/**
 * Exceedances on the price, a market at a time, as data for the script of the page: the price thinned out, every
 * exceedance kept. Markets with the most exceedances over what they should have come first.
 */
export function explorer(run: RunTables): { readonly html: string; readonly json: string } {
  const views = rowsByMarket(run.outcomes)
    .flatMap((rows, m) => (rows.length === 0 ? [] : [viewOf(run, m, rows)]))
    .toSorted((a, b) => excess(b) - excess(a));
  const options = views.map(
    (view, i) =>
      `<option value="${i}">${escapeHtml(view.n)} · ${percent(rateOf(view, HORIZON_COUNT - 1))}</option>`,
  );
  const horizons = HORIZONS_HOURS.map(
    (hours, h) => `<option value="${h}"${h === HORIZON_COUNT - 1 ? ' selected' : ''}>${hours} h</option>`,
  );
  const html = `<figure id="explorer">
<div class="controls"><label>Market <select id="explorer-market">${options.join('')}</select></label>
<label>Horizon <select id="explorer-horizon">${horizons.join('')}</select></label></div>
<ul class="legend"><li><span class="key ink"></span>price at the origin</li><li><span class="key band"></span>VaR of long and short, ${level(CONFIDENCES[CONFIDENCE])}</li><li><span class="key miss long"></span>long lost more</li><li><span class="key miss short"></span>short lost more</li></ul>
<div id="explorer-chart"><p>The drawing needs the script of this page.</p></div>
<p id="explorer-words" role="status"></p>
<figcaption>Each mark reaches from the price at the origin to the worst price within the horizon. Overlapping horizons show one fall several times. Markets with the most exceedances first; beside the name the rate over 24 h.</figcaption></figure>`;
  return {
    html,
    json: JSON.stringify({ confidence: CONFIDENCES[CONFIDENCE], horizons: HORIZONS_HOURS, markets: views }),
  };
}

function viewOf({ outcomes, players }: RunTables, market: number, rows: Uint32Array): MarketView {
  const { table } = players[0];
  const step = Math.max(1, Math.ceil(rows.length / MOST_POINTS));
  const shown = rows.filter((_, i) => i % step === 0 || i === rows.length - 1);
  const hour = (row: number): number => Math.round(outcomes.asOf[row] / HOUR_MILLISECONDS);
  const valuesAtRisk = (horizon: number, side: number): number[] =>
    Array.from(shown, (row) => {
      const value = table.valueAtRisk[cellIndex(row, side, horizon, CONFIDENCE)];
      return Number.isFinite(value) ? Math.round(PARTS * value) : -1;
    });
  const exceedances: number[][] = [];
  const counts: number[] = [];
  for (let horizon = 0; horizon < HORIZON_COUNT; horizon++) {
    const own: number[] = [];
    let count = 0;
    for (const row of rows) {
      for (let side = 0; side < SIDE_COUNT; side++) {
        const valueAtRisk = table.valueAtRisk[cellIndex(row, side, horizon, CONFIDENCE)];
        if (!Number.isFinite(valueAtRisk)) continue;
        count++;
        const loss = excursionAt(outcomes, row, side, horizon);
        if (loss <= valueAtRisk) continue;
        own.push(
          hour(row),
          price(outcomes.price[row]),
          side,
          Math.round(PARTS * loss),
          Math.round(PARTS * valueAtRisk),
        );
      }
    }
    exceedances.push(own);
    counts.push(count);
  }
  return {
    n: outcomes.symbols[market],
    t: Array.from(shown, hour),
    p: Array.from(shown, (row) => price(outcomes.price[row])),
    v: HORIZONS_HOURS.flatMap((_, h) => [valuesAtRisk(h, 0), valuesAtRisk(h, 1)]),
    e: exceedances,
    c: counts,
  };
}

/** Five digits are finer than a screen. */
function price(value: number): number {
  return Number(significant(value, 5));
}

const ENTRY_LENGTH = 5;

function rateOf(view: MarketView, horizon: number): number {
  return view.e[horizon].length / ENTRY_LENGTH / view.c[horizon];
}

function excess(view: MarketView): number {
  const rates = HORIZONS_HOURS.map((_, h) => rateOf(view, h)).filter(Number.isFinite);
  return rates.reduce((sum, rate) => sum + rate, 0);
}

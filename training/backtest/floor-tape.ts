import { deserialize, serialize } from 'node:v8';
import {
  antiProcyclicalPredictor,
  LongLookbackPredictor,
  type StressedWeightPredictor,
} from '../../src/forecast/anti-procyclical.ts';
import { lookback } from '../../src/forecast/lookback.ts';
import { PATHS_PER_MARKET } from '../../src/forecast/predictor.ts';
import type { Policy } from '../../src/limits/policy.ts';
import type { MarketHistory } from '../../src/risk/bars.ts';
import { runKey } from '../checkpoints.ts';
import type { PieceStore } from '../kept-fits.ts';
import { writeCells } from './classical-tape.ts';
import type { TapeOptions } from './make-tape.ts';
import type { CellTape, MarketTape, SampleTape, Tape } from './tape.ts';

/** Another number than before wherever the same settings would give other floors on the same tape. */
const FLOOR_VERSION = 1;

/**
 * A tape with the floors of policies beside it: what the predictor of their anti-procyclical option says through the span, without a look at later
 * bars. The samples are looked at when the others of the tape are, the volatility of a long lookback every hour.
 *
 * @param markets the histories that the tape was made of. @param pieces of the tape's own run, so that the key of a floor is that of its tape
 * and its settings; null where nothing is kept.
 */
export function withFloors(
  tape: Tape,
  markets: readonly MarketHistory[],
  policies: readonly Policy[],
  { pieces, onPhase }: Pick<TapeOptions, 'pieces' | 'onPhase'>,
): Tape {
  const histories = new Map(markets.map((history) => [history.symbol, history]));
  const historyOf = ({ symbol }: MarketTape): MarketHistory => histories.get(symbol) as MarketHistory;
  const floors = new Map<string, readonly SampleTape[]>();
  for (const { bounds } of policies) {
    const predictor = antiProcyclicalPredictor(bounds.antiProcyclical);
    if (predictor === null || floors.has(predictor.idWithSettings)) continue;
    const told = (market: MarketTape, m: number): MarketTape => {
      onPhase('floor', m / tape.markets.length, market.symbol);
      return market;
    };
    floors.set(
      predictor.idWithSettings,
      predictor instanceof LongLookbackPredictor
        ? tape.markets.map((market, m) => longLookback(told(market, m), historyOf(market), predictor))
        : keptStressed(tape, predictor, pieces, (market, m) =>
            stressedCells(told(market, m), historyOf(market), predictor),
          ),
    );
  }
  return {
    ...tape,
    markets: tape.markets.map((market, m) => ({
      ...market,
      floors: new Map([...floors].map(([name, byMarket]) => [name, byMarket[m]])),
    })),
  };
}

/** The cells of `FilteredPredictor` under another scale, which takes less time to make than to read: it is not kept. */
function longLookback(
  { bars, filtered }: MarketTape,
  history: MarketHistory,
  predictor: LongLookbackPredictor,
): SampleTape {
  const scale = Float32Array.from({ length: bars.length }, (_, hour) =>
    filtered.row[hour] < 0 ? 1 : predictor.scale(lookback(history.bars, closeOf(bars, hour))),
  );
  return { ...filtered, scale };
}

function keptStressed(
  { markets }: Tape,
  { idWithSettings }: StressedWeightPredictor,
  pieces: PieceStore | null,
  cellsOf: (market: MarketTape, m: number) => CellTape,
): readonly SampleTape[] {
  const piece = `floor.${runKey({ version: FLOOR_VERSION, predictor: idWithSettings })}`;
  const kept = pieces?.get(piece) ?? null;
  const cells = kept === null ? markets.map(cellsOf) : (deserialize(kept) as readonly CellTape[]);
  if (kept === null) pieces?.put(piece, serialize(cells));
  return cells.map((one, m) => ({ ...one, row: markets[m].historical.row, scale: null }));
}

/** By the rows of the historical sample, which has the same past. */
function stressedCells(
  { bars, historical }: MarketTape,
  history: MarketHistory,
  predictor: StressedWeightPredictor,
): CellTape {
  const { length } = historical.valueAtRisk;
  const cells = { valueAtRisk: new Float32Array(length), expectedShortfall: new Float32Array(length) };
  let last = -1;
  for (let hour = 0; hour < bars.length; hour++) {
    const row = historical.row[hour];
    // An hour that is too far from the one before has no row; the one after it goes on with the last.
    if (row <= last) continue;
    last = row;
    const tailOf = predictor.tails(lookback(history.bars, closeOf(bars, hour)));
    for (let path = 0; path < PATHS_PER_MARKET; path++) writeCells(cells, row, path, tailOf(path));
  }
  return cells;
}

function closeOf({ openTime, intervalMilliseconds }: MarketTape['bars'], hour: number): number {
  return openTime[hour] + intervalMilliseconds;
}

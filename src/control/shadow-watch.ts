import { forecastFault } from '../forecast/forecast-check.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  cellIndex,
  type ForecastBatch,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  type Predictor,
  type PredictorInput,
  SIDES,
} from '../forecast/predictor.ts';
import type { MarketHistory } from '../risk/bars.ts';
import { fz0, pinball } from '../risk/comparison/scores.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import type { WatchEntry } from './ports.ts';
import { barClosingAt, newestCloseOf, realisedExcursion } from './realised-excursion.ts';
import { largestDifference, withStep } from './shadow-evidence.ts';
import {
  type ForecasterSums,
  newRecord,
  type ShadowFailure,
  type ShadowRecord,
  type ShadowSummary,
  summaryOf,
} from './shadow-record.ts';

const PREFIX = 'shadow/';
const RECORD = `${PREFIX}record/`;
const ORIGIN = `${PREFIX}origin/`;
/** How long a market whose bars come later than the others' is waited for. */
const LATE_HOURS = 3;
/** A horizon, those that come late, and some: what is older is given up. */
const MOST_ORIGINS = 64;
/** Pairs of champion and challenger whose record is kept. */
const MOST_RECORDS = 8;

/** Names under which the state store keeps what belongs to shadow scoring. */
export const SHADOW_ENTRIES = PREFIX;

/** The record of a pair, from the entries of the state store. */
export function shadowSummaryOf(
  entries: readonly WatchEntry[],
  champion: string,
  challenger: string,
): ShadowSummary | null {
  const found = entries.find(({ name }) => name === recordName(champion, challenger));
  return found?.body === undefined || found.body === null ? null : summaryOf(parsedRecord(found.body));
}

/** The two forecasts of one origin, for the markets that have both. */
interface Origin {
  readonly asOf: number;
  readonly symbols: readonly string[];
  /** By market, cell, and: VaR and ES of the champion, VaR and ES of the challenger. */
  readonly values: Float32Array;
}
const VALUES_PER_CELL = 4;
/** A millionth of the price: a VaR of nothing is no unit to measure a loss in. */
const LEAST_SCALE = 1e-6;

export interface ShadowStepInput {
  readonly now: number;
  readonly markets: readonly MarketHistory[];
  /** What both look at; computed only where there is a new origin. */
  readonly inputAt: (asOf: number) => PredictorInput;
  readonly champion: Predictor;
  readonly challenger: Predictor;
}

export interface ShadowStep {
  /** What is to be kept, durably and at once; a body of null is removed. */
  readonly changes: readonly WatchEntry[];
  readonly summary: ShadowSummary;
}

/**
 * Forecasts with the challenger beside the champion at every origin, and scores both on the same origins once the bars of a
 * horizon are there. Origins are scored in their order, each once; what a step changed is handed out to be stored in one
 * transaction, so that a restart goes on from there. Of a fixed size but for the origins that are still open.
 */
export class ShadowWatch {
  #record: ShadowRecord | null = null;
  readonly #records = new Map<string, ShadowRecord>();
  readonly #origins: Origin[] = [];

  /** @param entries what was stored. */
  constructor(entries: readonly WatchEntry[]) {
    for (const { name, body } of entries) {
      if (body === null) continue;
      if (name.startsWith(RECORD)) this.#records.set(name, parsedRecord(body));
      else if (name.startsWith(ORIGIN)) this.#origins.push(parsedOrigin(body));
    }
    this.#origins.sort((a, b) => a.asOf - b.asOf);
    // The newest pair was in work.
    this.#record = [...this.#records.values()].sort((a, b) => b.newestOrigin - a.newestOrigin)[0] ?? null;
  }

  async step(input: ShadowStepInput): Promise<ShadowStep> {
    const { champion, challenger, markets, now } = input;
    const changes = new Map<string, string | null>();
    let record = this.#take(champion.id, challenger.id, now, changes);
    record = this.#settle(record, markets, changes);
    const asOf = Math.max(...markets.map(({ bars }) => newestCloseOf(bars)));
    if (Number.isFinite(asOf) && asOf > record.newestOrigin)
      record = await this.#forecast(record, asOf, input, changes);
    return this.#keep(record, changes);
  }

  /** The challenger of a pair had no answer at an origin: counted, and told. */
  failed(champion: string, challenger: string, now: number, kind: ShadowFailure, why: string): ShadowStep {
    const changes = new Map<string, string | null>();
    const record = this.#take(champion, challenger, now, changes);
    return this.#keep(withFailure(record, kind, why), changes);
  }

  #take(
    champion: string,
    challenger: string,
    now: number,
    changes: Map<string, string | null>,
  ): ShadowRecord {
    const current = this.#record;
    if (current?.champion === champion && current.challenger === challenger) return current;
    // Forecasts of another pair are nothing that this one is scored on.
    for (const { asOf } of this.#origins.splice(0)) changes.set(originName(asOf), null);
    return this.#records.get(recordName(champion, challenger)) ?? newRecord(champion, challenger, now);
  }

  #keep(record: ShadowRecord, changes: Map<string, string | null>): ShadowStep {
    const name = recordName(record.champion, record.challenger);
    const isNew = record !== this.#record;
    this.#record = record;
    this.#records.set(name, record);
    if (isNew) changes.set(name, JSON.stringify(record));
    const oldest = [...this.#records].sort(([, a], [, b]) => b.newestOrigin - a.newestOrigin);
    for (const [old] of oldest.slice(MOST_RECORDS)) {
      if (old === name) continue;
      this.#records.delete(old);
      changes.set(old, null);
    }
    return {
      changes: [...changes].map(([entry, body]) => ({ name: entry, body })),
      summary: summaryOf(record),
    };
  }

  async #forecast(
    record: ShadowRecord,
    asOf: number,
    { inputAt, champion, challenger, markets }: ShadowStepInput,
    changes: Map<string, string | null>,
  ): Promise<ShadowRecord> {
    const input = inputAt(asOf);
    const ours = await champion.predict(input).catch(() => null);
    // Without a champion's forecast there is nothing to compare with; the decision itself tells of its failure.
    if (ours === null || forecastFault(ours, markets) !== null) return record;
    const taken = { ...record, newestOrigin: asOf };
    let theirs: ForecastBatch;
    try {
      theirs = await challenger.predict(input);
    } catch (thrown) {
      return withFailure(taken, 'failed', thrown instanceof Error ? thrown.message : String(thrown));
    }
    const invalid = forecastFault(theirs, markets);
    if (invalid !== null) return withFailure(taken, 'invalid', invalid);
    const origin = originOf(asOf, markets, ours, theirs);
    if (origin.symbols.length === 0) return taken;
    this.#origins.push(origin);
    changes.set(originName(asOf), originText(origin));
    return taken;
  }

  #settle(
    record: ShadowRecord,
    markets: readonly MarketHistory[],
    changes: Map<string, string | null>,
  ): ShadowRecord {
    const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
    const newest = Math.max(...markets.map(({ bars }) => newestCloseOf(bars)));
    let settled = record;
    for (let h = 0; h < HORIZON_COUNT; h++) {
      for (const origin of this.#origins) {
        if (origin.asOf <= settled.settledUntil[h]) continue;
        if (!isDue(origin, HORIZONS_HOURS[h], bySymbol, newest)) break;
        settled = scored(settled, origin, h, bySymbol);
      }
    }
    const longest = Math.min(...settled.settledUntil);
    const isOver = ({ asOf }: Origin, i: number): boolean =>
      asOf <= longest || i < this.#origins.length - MOST_ORIGINS;
    const over = this.#origins.filter(isOver);
    for (const { asOf } of over) changes.set(originName(asOf), null);
    if (over.length > 0) this.#origins.splice(0, over.length);
    return settled;
  }
}

/** All its markets have the bars of the horizon, or those that have not were waited for. */
function isDue(
  { asOf, symbols }: Origin,
  horizonHours: number,
  markets: ReadonlyMap<string, MarketHistory>,
  newest: number,
): boolean {
  const end = asOf + horizonHours * HOUR_MILLISECONDS;
  if (newest < end) return false;
  if (newest >= end + LATE_HOURS * HOUR_MILLISECONDS) return true;
  return symbols.every((symbol) => newestCloseOf(markets.get(symbol)?.bars ?? NO_BARS) >= end);
}
const NO_BARS = { length: 0 } as MarketHistory['bars'];

function scored(
  record: ShadowRecord,
  { asOf, symbols, values }: Origin,
  horizon: number,
  markets: ReadonlyMap<string, MarketHistory>,
): ShadowRecord {
  const observations = [...record.observations];
  const champion = copyOf(record.sums.champion);
  const challenger = copyOf(record.sums.challenger);
  let difference = 0;
  let bound = 0;
  let cells = 0;
  for (const [m, symbol] of symbols.entries()) {
    const bars = markets.get(symbol)?.bars;
    const realised = bars === undefined ? null : realisedExcursion(bars, asOf, HORIZONS_HOURS[horizon]);
    if (realised === null) continue;
    for (const [s, side] of SIDES.entries()) {
      for (let c = 0; c < CONFIDENCE_COUNT; c++) {
        const cell = cellIndex(0, s, horizon, c);
        const at = (m * CELLS_PER_MARKET + cell) * VALUES_PER_CELL;
        const loss = realised[side];
        const confidence = CONFIDENCES[c];
        observations[cell]++;
        const ours = add(champion, cell, loss, values[at], values[at + 1], confidence);
        const theirs = add(challenger, cell, loss, values[at + 2], values[at + 3], confidence);
        const scale = Math.max(values[at], LEAST_SCALE);
        difference += (theirs - ours) / scale;
        bound += largestDifference(values[at], values[at + 2], confidence) / scale;
        cells++;
      }
    }
  }
  const step = {
    horizon,
    hour: asOf / HOUR_MILLISECONDS,
    difference: difference / Math.max(cells, 1),
    bound: bound / Math.max(cells, 1),
  };
  return {
    ...record,
    observations,
    sums: { champion, challenger },
    settledUntil: record.settledUntil.map((until, h) => (h === horizon ? asOf : until)),
    evidence: withStep(record.evidence, step),
  };
}

/** Adds one observation; returns its pinball loss. */
function add(
  sums: ForecasterSums,
  cell: number,
  loss: number,
  valueAtRisk: number,
  expectedShortfall: number,
  confidence: number,
): number {
  const own = pinball(loss, valueAtRisk, confidence);
  sums.pinball[cell] += own;
  sums.fz0[cell] += fz0(loss, valueAtRisk, expectedShortfall, confidence);
  if (loss > valueAtRisk) sums.exceedances[cell]++;
  return own;
}

function copyOf({ pinball: p, fz0: f, exceedances }: ForecasterSums): ForecasterSums {
  return { pinball: [...p], fz0: [...f], exceedances: [...exceedances] };
}

/** Kept as float32: what is scored is what is kept, so that a restart changes nothing. */
function originOf(
  asOf: number,
  markets: readonly MarketHistory[],
  ours: ForecastBatch,
  theirs: ForecastBatch,
): Origin {
  const kept = markets.flatMap(({ bars }, m) =>
    ours.unavailable[m] === '' && theirs.unavailable[m] === '' && barClosingAt(bars, asOf) >= 0 ? [m] : [],
  );
  const values = new Float32Array(kept.length * CELLS_PER_MARKET * VALUES_PER_CELL);
  for (const [i, m] of kept.entries()) {
    for (let cell = 0; cell < CELLS_PER_MARKET; cell++) {
      const at = (i * CELLS_PER_MARKET + cell) * VALUES_PER_CELL;
      const from = m * CELLS_PER_MARKET + cell;
      values[at] = ours.valueAtRisk[from];
      values[at + 1] = ours.expectedShortfall[from];
      values[at + 2] = theirs.valueAtRisk[from];
      values[at + 3] = theirs.expectedShortfall[from];
    }
  }
  return { asOf, symbols: kept.map((m) => markets[m].symbol), values };
}

function withFailure(record: ShadowRecord, kind: ShadowFailure, why: string): ShadowRecord {
  const failures = { ...record.failures, [kind]: record.failures[kind] + 1 };
  return { ...record, failures, lastFailure: why.slice(0, 300) };
}

function recordName(champion: string, challenger: string): string {
  return `${RECORD}${champion}/${challenger}`;
}

function originName(asOf: number): string {
  return ORIGIN + asOf;
}

function parsedRecord(body: string): ShadowRecord {
  return JSON.parse(body) as ShadowRecord;
}

function originText({ asOf, symbols, values }: Origin): string {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return JSON.stringify({ asOf, symbols, values: bytes.toString('base64') });
}

function parsedOrigin(body: string): Origin {
  const { asOf, symbols, values } = JSON.parse(body) as Omit<Origin, 'values'> & { values: string };
  const bytes = new Uint8Array(Buffer.from(values, 'base64'));
  return { asOf, symbols, values: new Float32Array(bytes.buffer) };
}

import type { AccountRecord, PositionRecord } from './account-book.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { MarketTerms } from './market-rows.ts';

/** Raised with every change of the records below. */
const FORMAT = 1;

const KIND = { account: 1, mark: 2, terms: 3, status: 4 } as const;

/** A reduction in stages that goes on: of an account's shared margin, or of a position that has its own. */
export interface StageRecord {
  readonly row: number;
  /** −1 for the shared margin; otherwise the number of the position within the account. */
  readonly position: number;
  readonly status: number;
  /** How many stages of a reduction were asked for; 0 outside of one. */
  readonly stage: number;
  /** When the next stage is due, epoch milliseconds; 0 where none is. */
  readonly nextAt: number;
}

/**
 * What changed the account book, as bytes that are written ahead. A batch holds states and never steps, and it holds the
 * statuses that came of them: a book that is made again from its batches asks no policy, and repeats no intervention.
 */
export class JournalWriter {
  readonly #out = new ByteWriter(1 << 16);

  constructor() {
    this.#out.uint8(FORMAT);
  }

  get isEmpty(): boolean {
    return this.#out.length <= 1;
  }

  get bytes(): number {
    return this.#out.length;
  }

  account({ accountId, userId, isIsolated, collateral, sequence, positions }: AccountRecord): void {
    const out = this.#out;
    out.uint8(KIND.account);
    out.shortText(accountId);
    out.shortText(userId === accountId ? '' : userId);
    out.uint8(isIsolated ? 1 : 0);
    out.float64(collateral);
    out.float64(sequence);
    out.uint16(positions.length);
    for (const { market, quantity, entryPrice, isolatedMargin } of positions) {
      out.uint16(market);
      out.float64(quantity);
      out.float64(entryPrice);
      out.float64(isolatedMargin);
    }
  }

  mark(market: number, price: number, at: number): void {
    this.#out.uint8(KIND.mark);
    this.#out.uint16(market);
    this.#out.float64(price);
    this.#out.float64(at);
  }

  /** @param version of the limit book that they come from. */
  terms(terms: readonly MarketTerms[], version: number): void {
    this.#out.uint8(KIND.terms);
    this.#out.float64(version);
    this.#out.longText(JSON.stringify(terms));
  }

  status({ row, position, status, stage, nextAt }: StageRecord): void {
    this.#out.uint8(KIND.status);
    this.#out.int32(row);
    this.#out.int32(position);
    this.#out.uint8(status);
    this.#out.uint8(stage);
    this.#out.float64(nextAt);
  }

  /** The batch; the writer begins the next one. */
  taken(): Uint8Array {
    const batch = this.#out.taken();
    this.#out.uint8(FORMAT);
    return batch;
  }
}

/** What a batch is read into. */
export interface JournalReader {
  account(record: AccountRecord): void;
  mark(market: number, price: number, at: number): void;
  terms(terms: readonly MarketTerms[], version: number): void;
  status(record: StageRecord): void;
}

/**
 * Reads a batch, in the order in which it was written.
 *
 * @throws RangeError for bytes that are no batch.
 */
export function readBatch(batch: Uint8Array, reader: JournalReader): void {
  const from = new ByteReader(batch);
  if (from.uint8() !== FORMAT) throw new RangeError('a batch of another format');
  while (!from.isAtEnd) {
    const kind = from.uint8();
    if (kind === KIND.account) reader.account(readRecord(from));
    else if (kind === KIND.mark) reader.mark(from.uint16(), from.float64(), from.float64());
    else if (kind === KIND.terms) readTerms(from, reader);
    else if (kind === KIND.status)
      reader.status({
        row: from.int32(),
        position: from.int32(),
        status: from.uint8(),
        stage: from.uint8(),
        nextAt: from.float64(),
      });
    else throw new RangeError(`a record of kind ${kind}`);
  }
}

function readTerms(from: ByteReader, reader: JournalReader): void {
  const version = from.float64();
  reader.terms(JSON.parse(from.longText()) as MarketTerms[], version);
}

function readRecord(from: ByteReader): AccountRecord {
  const accountId = from.shortText();
  const userId = from.shortText() || accountId;
  const isIsolated = from.uint8() === 1;
  const [collateral, sequence] = [from.float64(), from.float64()];
  const positions: PositionRecord[] = [];
  for (let left = from.uint16(); left > 0; left--)
    positions.push({
      market: from.uint16(),
      quantity: from.float64(),
      entryPrice: from.float64(),
      isolatedMargin: from.float64(),
    });
  return { accountId, userId, isIsolated, collateral, sequence, positions };
}

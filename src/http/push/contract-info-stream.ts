import { WebSocket } from 'ws';
import type { ControlReads } from '../../control/reads.ts';
import type { LimitBook } from '../../limits/types.ts';
import { contractInfoMessages } from '../exchange/contract-info.ts';
import { refuse } from '../problem.ts';
import { PUSH_BOUNDS } from './hub.ts';

/** Of RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1008;

/** The one stream of Binance's that is told here. */
export const CONTRACT_INFO_STREAM = '!contractInfo';

export interface ContractInfoRequest {
  /** Whether messages come in the envelope of combined streams. */
  readonly isCombined: boolean;
  /** False once whoever opened it may not read any more. */
  readonly mayStay?: () => boolean;
}

/**
 * Tells tables that change as Binance's stream does, over WebSocket: no numbers and no snapshot, because Binance has none.
 * Whoever must not miss a change follows the feed, or reads the tables after connecting.
 */
export class ContractInfoStream {
  readonly #reads: Pick<ControlReads, 'currentBook' | 'onPublish' | 'policy'>;
  readonly #readers = new Map<WebSocket, ContractInfoRequest>();
  readonly #forget: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #before: LimitBook | null;

  constructor(reads: Pick<ControlReads, 'currentBook' | 'onPublish' | 'policy'>) {
    this.#reads = reads;
    // What is in force at the start was told before it.
    this.#before = reads.currentBook();
    this.#forget = reads.onPublish((book) => this.#tell(book));
    // A connection that is gone without a word is found by what it does not take.
    this.#heartbeat = setInterval(() => {
      this.dismiss();
      for (const reader of this.#readers.keys()) reader.ping();
    }, PUSH_BOUNDS.heartbeatMilliseconds);
    this.#heartbeat.unref();
  }

  /** @throws PlimsollError OVERLOADED. */
  requireRoom(): void {
    if (this.#readers.size >= PUSH_BOUNDS.readers)
      throw refuse('OVERLOADED', `there are ${PUSH_BOUNDS.readers} readers already`, 'Come again later.');
  }

  join(reader: WebSocket, request: ContractInfoRequest): void {
    if (reader.readyState !== WebSocket.OPEN) return;
    this.#readers.set(reader, request);
    reader.on('close', () => this.#readers.delete(reader));
  }

  /** Cuts off whoever came with a key or token that counts no longer. */
  dismiss(): void {
    for (const [reader, { mayStay }] of this.#readers)
      if (mayStay?.() === false) reader.close(POLICY_VIOLATION, 'KEY_ENDED');
  }

  /** @param closeCode of RFC 6455. */
  close(closeCode: number): void {
    this.#forget();
    clearInterval(this.#heartbeat);
    for (const reader of this.#readers.keys()) reader.close(closeCode);
  }

  #tell(book: LimitBook): void {
    const before = this.#before;
    this.#before = book;
    if (this.#readers.size === 0) return;
    const messages = contractInfoMessages(before, book, this.#reads.policy().contracts).map((message) => {
      const text = JSON.stringify(message);
      return { text, combined: `{"stream":"${CONTRACT_INFO_STREAM}","data":${text}}` };
    });
    for (const [reader, { isCombined }] of this.#readers) {
      for (const { text, combined } of messages) reader.send(isCombined ? combined : text);
      // What waits for a reader that does not read would fill the memory.
      if (reader.bufferedAmount > PUSH_BOUNDS.waitingBytes) reader.terminate();
    }
  }
}

/** The answer to a write that named an Idempotency-Key. */
export interface AnsweredWrite {
  readonly actor: string;
  readonly key: string;
  /** SHA-256 of what was asked. */
  readonly requestHash: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** Keeps answers for those that come again; how many is bounded, the oldest go first. */
export interface AnsweredWriteStore {
  /** @param since answers before that time are over. */
  recall(actor: string, key: string, since: number): Promise<AnsweredWrite | null>;
  keep(answered: AnsweredWrite, since: number): Promise<void>;
}

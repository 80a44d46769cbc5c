import type { ServiceStore } from '../../src/control/ports.ts';
import type { ProofOptions } from '../proof-parts.ts';
import type { Row } from '../state-rows.ts';

/** Where the stores of one test keep what they are given: empty when it is made, and its own. */
export interface StorePlace {
  /** Each opened store stands for a process. Whoever opens it closes it. */
  open(options?: ProofOptions): Promise<ServiceStore>;
  /** Does to what is stored what nobody should. Constraints are not checked; `?` in one statement stands for a value. */
  tamper(sql: string, ...values: (string | number | Uint8Array)[]): Promise<void>;
  read(sql: string): Promise<Row[]>;
  /** Takes everything away, as if it had never been opened. */
  wipe(): Promise<void>;
  remove(): Promise<void>;
}

export type MakePlace = () => Promise<StorePlace>;

import type { AccountFault } from '../../accounts/book/account-line.ts';
import type { MarketTerms } from '../../accounts/book/market-rows.ts';
import type { BookPicture } from '../../accounts/book/picture.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import type { SystemShape } from '../../accounts/system/shapes.ts';
import type { ErrorCode } from '../../errors.ts';
import type { AccountImpact, MarketTables } from '../../limits/impact.ts';
import type { LiquidityInput, SystemStressInput } from '../../limits/market-input.ts';
import type { MarkPrice } from '../guard/prices.ts';
import type { AccountReading, AccountSummary, BatchReport } from './account-desk.ts';
import type { VersionedReadings } from './kept-readings.ts';
import type { InterventionFilter } from './ports.ts';
import type { StressAnswer, StressRequest } from './system-desk.ts';

/** What the thread of the accounts is asked, by kind, and what it answers. All of it is plain data. */
export interface AccountRequests {
  readonly lines: {
    readonly ask: { readonly text: string; readonly at: number };
    readonly answer: BatchReport;
  };
  readonly put: {
    readonly ask: { readonly value: unknown; readonly at: number };
    readonly answer: AccountFault | null;
  };
  readonly mark: {
    readonly ask: { readonly prices: readonly MarkPrice[]; readonly at: number };
    readonly answer: null;
  };
  readonly marks: { readonly ask: object; readonly answer: readonly MarkPrice[] };
  readonly terms: {
    readonly ask: { readonly terms: readonly MarketTerms[]; readonly version: number; readonly at: number };
    readonly answer: null;
  };
  readonly reading: { readonly ask: { readonly accountId: string }; readonly answer: AccountReading | null };
  readonly readingsOfUser: {
    readonly ask: { readonly userId: string };
    readonly answer: readonly AccountReading[];
  };
  /** The same for whoever shares its memory of versions; null where it counts none. */
  readonly versionedReadings: {
    readonly ask: { readonly userId: string };
    readonly answer: VersionedReadings | null;
  };
  readonly interventions: {
    readonly ask: { readonly after: number; readonly limit: number; readonly filter: InterventionFilter };
    readonly answer: readonly Intervention[];
  };
  readonly summary: { readonly ask: Record<string, never>; readonly answer: AccountSummary };
  readonly liquidity: {
    readonly ask: { readonly liquidity: Readonly<Record<string, LiquidityInput | null>> };
    readonly answer: null;
  };
  readonly system: { readonly ask: Record<string, never>; readonly answer: SystemShape };
  readonly stress: { readonly ask: StressRequest; readonly answer: StressAnswer };
  readonly impact: {
    readonly ask: { readonly symbol: string; readonly before: MarketTables; readonly after: MarketTables };
    readonly answer: AccountImpact | null;
  };
  /** Everybody as they stand. Asked within the thread alone. */
  readonly picture: { readonly ask: object; readonly answer: BookPicture };
  /** For the next decision. */
  readonly stressInput: { readonly ask: Record<string, never>; readonly answer: SystemStressInput | null };
  /** Events of a stream, in their order; a report for each of accounts. Asked within the thread alone. */
  readonly events: {
    readonly ask: {
      readonly stream: 'accounts' | 'marks';
      readonly events: readonly StreamEvent[];
      readonly at: number;
    };
    readonly answer: readonly BatchReport[];
  };
  /** This process owns a partition from now on. */
  readonly hold: { readonly ask: { readonly partition: number }; readonly answer: null };
  /** It owns none any more. */
  readonly lose: { readonly ask: Record<string, never>; readonly answer: null };
  /** Ends the thread, with a snapshot. */
  readonly end: { readonly ask: Record<string, never>; readonly answer: null };
}

export interface StreamEvent {
  readonly sequence: number;
  /** NDJSON. */
  readonly text: string;
}

export type RequestKind = keyof AccountRequests;

export type AccountRequest = {
  [Kind in RequestKind]: { readonly id: number; readonly kind: Kind } & AccountRequests[Kind]['ask'];
}[RequestKind];

export interface AccountFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string | undefined;
}

export type AccountMessage =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: AccountFailure }
  /** Stored, and now to be told. */
  | { readonly told: readonly Intervention[] }
  | { readonly shard: ShardState };

/** What has become of the partition that this process holds. */
export interface ShardState {
  readonly partition: number;
  /** `kept`: its accounts are here and up to date. `away`: the streams do not answer. `taken`: another process has it. `lost`: a stream is not what it was. */
  readonly state: 'kept' | 'away' | 'taken' | 'lost';
  readonly failure: AccountFailure | null;
}

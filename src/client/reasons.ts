import type { CapReason } from '../accounts/user-limits.ts';

/** Why this side of the wire holds an order back, beside the server's own reasons. */
export const CLIENT_REASONS = [
  /** Nothing was heard of the server for too long; see `fallback.ts`. */
  'SERVER_GONE',
  'MARKET_UNKNOWN',
  /** A notional, a leverage or a user that cannot be read. */
  'INPUT_INVALID',
  /** The user's own limits are not here yet: `await client.user(id)`. */
  'USER_NOT_LOADED',
] as const;
export type ClientReason = CapReason | (typeof CLIENT_REASONS)[number];

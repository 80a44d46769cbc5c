/** Why somebody was not let in. A closed list: each is a label of the metric that counts them. */
export const ACCESS_REFUSALS = [
  'key_missing',
  'key_unknown',
  'key_expired',
  'scope',
  'subject',
  'rate',
  'signature',
  'signature_missing',
  'timestamp',
  'nonce',
  'token',
] as const;
export type AccessRefusal = (typeof ACCESS_REFUSALS)[number];

/** What never stands in a log, wherever it comes up to three levels deep: names of fields that hold what must stay secret. */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'key',
  'apiKey',
  'operatorKey',
  'token',
  'secret',
  'password',
  'signature',
  'sha256',
] as const;

/** Headers are named in their own way. */
const SECRET_HEADERS = ['x-mbx-apikey', 'x-bapi-api-key', 'ok-access-key', 'ok-access-passphrase'] as const;

/** Paths for `redact` of pino. */
export const REDACTED: readonly string[] = ['', '*.', '*.*.'].flatMap((depth) => [
  ...SECRET_NAMES.map((name) => `${depth}${name}`),
  ...SECRET_HEADERS.map((name) => (depth === '' ? `["${name}"]` : `${depth.slice(0, -1)}["${name}"]`)),
]);

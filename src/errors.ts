/**
 * Every failure that Plimsoll reports has a code from this catalogue: stable, documented in `docs/errors.md`, never
 * reused for something else. The code decides the exit code of a command and the HTTP status of an answer, so that
 * neither edge has to guess.
 */
interface ErrorKind {
  /** Exit code of a command that ends with this error (1 failure, 2 usage or configuration, 3 gate failed, 4 not found, 5 invalid data, 6 conflict). */
  readonly exitCode: 1 | 2 | 3 | 4 | 5 | 6;
  readonly httpStatus: number;
  readonly title: string;
}

export const ERROR_CATALOGUE = {
  INTERNAL: { exitCode: 1, httpStatus: 500, title: 'Something failed inside Plimsoll' },
  IO_FAILED: { exitCode: 1, httpStatus: 503, title: 'A file or a device could not be read or written' },
  DATABASE_UNAVAILABLE: { exitCode: 1, httpStatus: 503, title: 'The database does not answer' },
  DATABASE_REFUSED: { exitCode: 2, httpStatus: 503, title: 'The database does not let this process in' },
  NOT_LEADING: { exitCode: 6, httpStatus: 503, title: 'Another process decides' },
  ACCOUNTS_ELSEWHERE: { exitCode: 1, httpStatus: 503, title: 'Another process keeps these accounts' },
  STREAM_UNAVAILABLE: { exitCode: 1, httpStatus: 503, title: 'The streams do not answer' },
  STREAM_REFUSED: { exitCode: 2, httpStatus: 503, title: 'The streams do not let this process in' },
  STREAM_LOST: { exitCode: 5, httpStatus: 503, title: 'A stream is gone, or not what it was' },
  SHARD_LOST: { exitCode: 6, httpStatus: 503, title: 'Another process keeps these accounts now' },
  SHARD_NOT_HELD: { exitCode: 6, httpStatus: 503, title: 'Nobody keeps these accounts now' },
  WORKER_NAME_TAKEN: { exitCode: 6, httpStatus: 409, title: 'Another process has this name' },
  USAGE: { exitCode: 2, httpStatus: 400, title: 'The command was not understood' },
  CONFIG_INVALID: { exitCode: 2, httpStatus: 500, title: 'The configuration is not valid' },
  POLICY_INVALID: { exitCode: 2, httpStatus: 500, title: 'The policy is not valid' },
  GATE_FAILED: { exitCode: 3, httpStatus: 409, title: 'It ran, but a gate was not passed' },
  MARKET_UNKNOWN: { exitCode: 4, httpStatus: 404, title: 'There is no such market' },
  VERSION_UNKNOWN: { exitCode: 4, httpStatus: 404, title: 'There is no such version' },
  USER_UNKNOWN: { exitCode: 4, httpStatus: 404, title: 'There is no such user' },
  ACCOUNT_UNKNOWN: { exitCode: 4, httpStatus: 404, title: 'There is no such account' },
  OVERLOADED: { exitCode: 1, httpStatus: 503, title: 'Too much is asked for at once' },
  KEY_UNKNOWN: { exitCode: 4, httpStatus: 404, title: 'There is no such key' },
  NOT_FOUND: { exitCode: 4, httpStatus: 404, title: 'There is nothing here' },
  NOTHING_PUBLISHED: { exitCode: 4, httpStatus: 503, title: 'No limits have been published yet' },
  NOT_READY: { exitCode: 1, httpStatus: 503, title: 'It is still being made ready' },
  FILE_UNREADABLE: { exitCode: 5, httpStatus: 400, title: 'The file could not be read' },
  LAYOUT_UNKNOWN: { exitCode: 5, httpStatus: 400, title: 'The layout of the file is not known' },
  DATA_INVALID: { exitCode: 5, httpStatus: 400, title: 'Some of the data were refused' },
  DATA_INSUFFICIENT: { exitCode: 5, httpStatus: 422, title: 'There are not enough data for this' },
  DATA_DIFFERS: { exitCode: 6, httpStatus: 409, title: 'The stored data are not those that were asked for' },
  ESTIMATE_UNAVAILABLE: { exitCode: 5, httpStatus: 422, title: 'The method has no answer for these data' },
  DEPENDENCY_MISSING: { exitCode: 2, httpStatus: 500, title: 'An optional package is not installed' },
  INPUT_INVALID: { exitCode: 5, httpStatus: 400, title: 'The input is not valid' },
  MODEL_DAMAGED: { exitCode: 5, httpStatus: 500, title: 'The model folder is damaged' },
  STORE_DAMAGED: { exitCode: 5, httpStatus: 500, title: 'The state store is damaged' },
  CHAIN_BROKEN: { exitCode: 5, httpStatus: 500, title: 'The hash chain does not hold' },
  REPLAY_DIFFERS: { exitCode: 1, httpStatus: 500, title: 'The decision is not what its inputs give' },
  CONFLICT: { exitCode: 6, httpStatus: 409, title: 'Someone else was first' },
  PRECONDITION_FAILED: { exitCode: 6, httpStatus: 412, title: 'Something else was changed in between' },
  IDEMPOTENCY_KEY_REUSED: { exitCode: 6, httpStatus: 422, title: 'This key was used for another request' },
  CHANGE_UNKNOWN: { exitCode: 4, httpStatus: 404, title: 'There is no such change' },
  CHANGE_EXPIRED: { exitCode: 6, httpStatus: 409, title: 'The time of this change is over' },
  EXPIRY_INVALID: { exitCode: 5, httpStatus: 422, title: 'It may not end then' },
  LEVERAGE_INVALID: { exitCode: 5, httpStatus: 422, title: 'No market may have this leverage' },
  SECOND_PERSON_NEEDED: { exitCode: 6, httpStatus: 403, title: 'Somebody else must approve this' },
  CLOCK_WENT_BACK: { exitCode: 6, httpStatus: 409, title: 'The clock is behind what is recorded' },
  LOCKED: { exitCode: 6, httpStatus: 409, title: 'Another process is doing this already' },
  UNAUTHENTICATED: { exitCode: 1, httpStatus: 401, title: 'A key is needed' },
  SIGNATURE_NEEDED: { exitCode: 1, httpStatus: 401, title: 'What this key changes must be signed' },
  SIGNATURE_INVALID: { exitCode: 1, httpStatus: 401, title: 'The signature is not that of this request' },
  TIMESTAMP_OUT_OF_WINDOW: { exitCode: 1, httpStatus: 401, title: 'The request was not signed just now' },
  NONCE_REPLAYED: { exitCode: 1, httpStatus: 401, title: 'This signed request came before' },
  TOKEN_INVALID: { exitCode: 1, httpStatus: 401, title: 'The token of the identity provider is not valid' },
  IDENTITY_UNAVAILABLE: { exitCode: 1, httpStatus: 503, title: 'The identity provider cannot be asked' },
  FORBIDDEN: { exitCode: 1, httpStatus: 403, title: 'This key may not do that' },
  KEY_EXPIRED: { exitCode: 1, httpStatus: 401, title: 'The time of this key is over' },
  SUBJECT_FORBIDDEN: { exitCode: 1, httpStatus: 403, title: 'This key may not touch that user or account' },
  RATE_LIMITED: { exitCode: 1, httpStatus: 429, title: 'More requests have come than may' },
  METHOD_NOT_ALLOWED: { exitCode: 1, httpStatus: 405, title: 'This route does not answer that method' },
  NOT_ACCEPTABLE_BODY: { exitCode: 1, httpStatus: 415, title: 'The body is not of the expected type' },
  BODY_TOO_LARGE: { exitCode: 1, httpStatus: 413, title: 'The body is too large' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface ErrorOptions {
  /** What the reader can do about it, as an imperative sentence. */
  readonly remedy?: string;
  /** Machine-readable facts: file, line, market. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The only error class that leaves a module. Anything else that is thrown is a defect and is reported as INTERNAL. */
export class PlimsollError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlimsollError';
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }

  get exitCode(): number {
    return ERROR_CATALOGUE[this.code].exitCode;
  }

  get httpStatus(): number {
    return ERROR_CATALOGUE[this.code].httpStatus;
  }
}

/** Any thrown value as a PlimsollError, so that edges handle one shape. */
export function asPlimsollError(thrown: unknown): PlimsollError {
  if (thrown instanceof PlimsollError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PlimsollError('INTERNAL', message, { cause: thrown });
}

import { type ErrorCode, PlimsollError } from '../../src/errors.ts';

/** Codes of Node's sockets and resolver that say that nobody could be talked to. */
const LOST_SYSTEM_CODES: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
];
/** What `pg` says without a code. */
const LOST_MESSAGES =
  /Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|not queryable|Client was closed|Cannot use a pool after/i;

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html), or their class, that mean the same. */
const LOST_STATES = ['08', '57P', '25P03', '53300', '57014', '25006'];

const CALL_AGAIN = 'Start the database, or mend the way to it; nothing need be done here then.';

const MEANINGS: readonly (readonly [
  states: readonly string[],
  code: ErrorCode,
  words: string,
  remedy: string,
])[] = [
  [
    ['28', '3D000', '42501'],
    'DATABASE_REFUSED',
    'the database refuses this user',
    'Mend user, password or database in PLIMSOLL_DATABASE_URL; the user must own what is in it.',
  ],
  [LOST_STATES, 'DATABASE_UNAVAILABLE', 'the database does not answer', CALL_AGAIN],
  [
    ['55P03', '40'],
    'LOCKED',
    'another process writes for too long',
    'Try again; if it stays so, look for the session that holds the lock in pg_stat_activity.',
  ],
  [
    ['53', '58'],
    'IO_FAILED',
    'the database cannot write',
    'Check its disk and its memory, then try again; nothing was half-written.',
  ],
  [['22021'], 'INPUT_INVALID', 'a text cannot be kept', 'Send it without control characters.'],
  [
    ['XX', '42P01', '42703'],
    'STORE_DAMAGED',
    'what the database has is not what was put there',
    'Keep a copy of the database, and restore the last good backup.',
  ],
];

/** Whether a failure says that the connection, or the server, is gone: what was not committed was not done. */
export function isLost(thrown: unknown): boolean {
  if (thrown instanceof PlimsollError) return thrown.code === 'DATABASE_UNAVAILABLE';
  if (!(thrown instanceof Error)) return false;
  const { code = '' } = thrown as { code?: string };
  if (LOST_SYSTEM_CODES.includes(code) || LOST_MESSAGES.test(thrown.message)) return true;
  return isState(code) && LOST_STATES.some((state) => code.startsWith(state));
}

/**
 * A failure of PostgreSQL or of the way to it as a PlimsollError; anything else as it is.
 *
 * @param where the database as it may be shown.
 */
export function asDatabaseError(where: string, thrown: unknown): unknown {
  if (thrown instanceof PlimsollError || !(thrown instanceof Error)) return thrown;
  const { code = '' } = thrown as { code?: string };
  if (isLost(thrown)) {
    return new PlimsollError(
      'DATABASE_UNAVAILABLE',
      `${where}: the database does not answer: ${said(thrown)}`,
      {
        remedy: CALL_AGAIN,
        cause: thrown,
      },
    );
  }
  if (!isState(code)) return thrown;
  const meaning = MEANINGS.find(([states]) => states.some((state) => code.startsWith(state)));
  const [, plimsollCode, words, remedy] = meaning ?? [[], 'INTERNAL', 'the database failed', undefined];
  return new PlimsollError(
    plimsollCode as ErrorCode,
    `${where}: ${words}: ${thrown.message} (SQLSTATE ${code})`,
    { ...(remedy === undefined ? {} : { remedy }), details: { sqlState: code }, cause: thrown },
  );
}

/** A name that stands for several addresses fails with all of them, and with no message of its own. */
function said(thrown: Error): string {
  const all = (thrown as AggregateError).errors as readonly Error[] | undefined;
  return thrown.message || (all ?? []).map(({ message }) => message).join(', ');
}

function isState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code);
}

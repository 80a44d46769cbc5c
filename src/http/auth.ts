import { createHash, timingSafeEqual } from 'node:crypto';
import { refuse } from './problem.ts';

/**
 * Requires the operator key of a write: `Authorization: Bearer KEY`. Only the key's SHA-256 is known here, and it is
 * compared in constant time.
 *
 * @param header the value of the Authorization header.
 * @param keyHash hex SHA-256 of the operator key, or null where no write is allowed at all.
 * @throws PlimsollError UNAUTHENTICATED without a key, FORBIDDEN with a wrong one.
 */
export function requireOperator(header: string | undefined, keyHash: string | null): void {
  const match = /^Bearer ([\w-]{1,256})$/.exec(header ?? '');
  if (match === null) {
    throw refuse('UNAUTHENTICATED', 'this route changes something and needs the operator key', KEY_REMEDY);
  }
  const given = createHash('sha256').update(match[1]).digest();
  const known = keyHash === null ? null : Buffer.from(keyHash, 'hex');
  if (known === null || known.length !== given.length || !timingSafeEqual(known, given)) {
    throw refuse('FORBIDDEN', 'the key is not the operator key of this service', KEY_REMEDY);
  }
}

const KEY_REMEDY =
  'Send the header "Authorization: Bearer KEY"; the first start printed the key and keeps it in operator.key of the data folder.';

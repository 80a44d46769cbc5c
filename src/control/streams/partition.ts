const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * The partition of an account: FNV-1a (32 bits) of its id, modulo how many there are. It is the hash of the `partition`
 * function in NATS's subject mappings, so a server can do the same for senders that do not hash. Ids are ASCII.
 */
export function partitionOf(accountId: string, partitions: number): number {
  let hash = OFFSET;
  for (let i = 0; i < accountId.length; i++)
    hash = Math.imul(hash ^ (accountId.charCodeAt(i) & 0xff), PRIME) >>> 0;
  return hash % partitions;
}

import { PlimsollError } from '../../errors.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { withStateStore } from './state.ts';

/** @throws PlimsollError CHAIN_BROKEN that names the first entry that does not hold. */
export async function verify(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const found = await withStateStore(flags, (store) => store.verify());
  const { books, auditEntries, firstBadBook, firstBadAuditEntry } = found;
  if (json === true) context.printJson(found);
  else context.print(`${books} books and ${auditEntries} audit entries were recomputed`);
  const faults = [
    ...(firstBadBook === null ? [] : [`book ${firstBadBook.version}: ${firstBadBook.reason}`]),
    ...(firstBadAuditEntry === null
      ? []
      : [`audit entry ${firstBadAuditEntry.sequence}: ${firstBadAuditEntry.reason}`]),
  ];
  if (faults.length > 0) {
    throw new PlimsollError('CHAIN_BROKEN', `the chain does not hold: ${faults.join('; ')}`, {
      remedy: 'Keep the data folder as it is for whoever looks into it, and restore the state from a backup.',
    });
  }
  if (json !== true) context.print('both chains hold');
}

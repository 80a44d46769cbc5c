import { PlimsollError } from '../../errors.ts';
import type { AccountAnswerer } from './account-access.ts';
import type { RequestKind } from './worker-messages.ts';

/** What a process that keeps no accounts has to say where nobody asks for one: nothing is known, and nothing is to be done. */
const SILENT: Partial<Readonly<Record<RequestKind, unknown>>> = {
  interventions: [],
  impact: null,
  stressInput: null,
  liquidity: undefined,
  mark: undefined,
  marks: [],
};

/** In place of the accounts, in a process that keeps none. Whoever asks for an account is told where they are. */
export const NO_ACCOUNTS_HERE: AccountAnswerer = {
  ask: async (kind) => {
    if (kind in SILENT) return SILENT[kind] as never;
    throw accountsElsewhere();
  },
  setTerms: async () => undefined,
};

export function accountsElsewhere(): PlimsollError {
  return new PlimsollError('ACCOUNTS_ELSEWHERE', 'this process keeps no accounts', {
    remedy:
      'Send accounts, and questions about them, to a process that runs as PLIMSOLL_ROLE=all or accounts.',
  });
}

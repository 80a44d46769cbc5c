import type { Side } from '../accounts/account-view.ts';
import type { Netting } from '../accounts/portfolio-cap.ts';
import type { PositionLimits } from '../accounts/position-limits.ts';
import type { UserPolicy } from '../control/ports.ts';
import type { Policy } from '../limits/policy.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import type { UserAccounts } from './account-views.ts';

/** What views of an account are made from beside what it holds. */
export interface ViewInputs {
  readonly book: LimitBook;
  readonly policy: Policy;
  readonly user: UserPolicy | null;
  readonly netting: Netting | null;
}

interface KeptView {
  readonly accountId: string | undefined;
  readonly symbol: string;
  readonly mark: number | null;
  readonly accounts: UserAccounts;
}

/** Orders of a user come for few markets at a time. */
const MOST_VIEWS = 4;

/** What was made of a user's accounts, for the markets that were asked about last. */
export class KeptViews {
  readonly #from: ViewInputs;
  readonly #views: KeptView[] = [];

  constructor(from: ViewInputs) {
    this.#from = from;
  }

  /** All of them are replaced and never changed, so that the same one is the same. */
  isFrom({ book, policy, user, netting }: ViewInputs): boolean {
    const from = this.#from;
    return from.book === book && from.policy === policy && from.user === user && from.netting === netting;
  }

  /** @param mark of the market as it is believed; null for none. */
  find(accountId: string | undefined, symbol: string, mark: number | null): UserAccounts | null {
    for (const view of this.#views)
      if (view.symbol === symbol && view.accountId === accountId && view.mark === mark) return view.accounts;
    return null;
  }

  keep(
    accountId: string | undefined,
    symbol: string,
    mark: number | null,
    { view, others }: UserAccounts,
  ): UserAccounts {
    const accounts = { view, others, limits: new KeptLimits() };
    if (this.#views.length === MOST_VIEWS) this.#views.shift();
    this.#views.push({ accountId, symbol, mark, accounts });
    return accounts;
  }
}

/** What the accounts of a user leave of one market, on either side and in either mode. */
export class KeptLimits {
  #from: { readonly market: MarketLimit; readonly policy: Policy; readonly netting: Netting | null } | null =
    null;
  #made: (PositionLimits | null)[] = NOTHING_MADE;

  /** What was made of the same, or what is made now. */
  of(
    market: MarketLimit,
    policy: Policy,
    netting: Netting | null,
    side: Side,
    isHedge: boolean,
    make: () => PositionLimits,
  ): PositionLimits {
    const from = this.#from;
    if (from?.market !== market || from.policy !== policy || from.netting !== netting) {
      this.#from = { market, policy, netting };
      this.#made = [...NOTHING_MADE];
    }
    const at = (side === 'long' ? 0 : 1) + (isHedge ? 2 : 0);
    const known = this.#made[at];
    if (known !== null) return known;
    const made = make();
    this.#made[at] = made;
    return made;
  }
}

const NOTHING_MADE: (PositionLimits | null)[] = [null, null, null, null];

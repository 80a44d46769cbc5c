import type { Change, Impact } from '../../answers.ts';
import { leverageText, moneyText, wordsOf } from '../../format.ts';

export type ChangeKind = Change['kind'];
export type ChangeStatus = Change['status'];

export const KINDS: readonly ChangeKind[] = ['override', 'freeze', 'emergency'];
export const STATUSES: readonly ChangeStatus[] = [
  'pending',
  'inForce',
  'expired',
  'lapsed',
  'rejected',
  'withdrawn',
  'thawed',
  'ended',
  'replaced',
];

export const statusText = (status: ChangeStatus): string => wordsOf(status);

export function statusTone(status: ChangeStatus): string {
  if (status === 'pending') return 'warn';
  return status === 'inForce' ? 'accent' : '';
}

/** What a change does, in few words. */
export function effectOf({ kind, maxLeverage, mayLoosen }: Change): string {
  if (kind === 'freeze') return 'limits do not move';
  if (kind === 'emergency') return 'cuts go below the floor of one decision';
  return mayLoosen
    ? `${leverageText(maxLeverage)} in the place of the bounds`
    : `at most ${leverageText(maxLeverage)}`;
}

export const scopeOf = ({ symbol }: Change): string => symbol ?? 'all markets';

/** How something that is open is brought to its end by hand. */
export const ENDING_VERB: Readonly<Record<ChangeKind, string>> = {
  override: 'Withdraw',
  freeze: 'Thaw',
  emergency: 'End',
};

/** The whole impact in a line, the worst of it included; what nobody can say is said too. */
export function impactText(impact: Impact | null): string {
  if (impact === null) return 'not known';
  const { market, accounts } = impact;
  return [marketText(market), accountsText(accounts)].join(' · ');
}

function marketText(market: Impact['market']): string {
  if (!market.available) return market.why;
  const { maxLeverageBefore, maxLeverageAfter } = market;
  const changed = changedRanges(market).length;
  if (changed === 0) return 'no bracket changes';
  const leverage =
    maxLeverageBefore === maxLeverageAfter
      ? `still ${leverageText(maxLeverageAfter)} at most`
      : `${leverageText(maxLeverageBefore)} → ${leverageText(maxLeverageAfter)} at most`;
  return `${leverage}, ${changed} ${changed === 1 ? 'range changes' : 'ranges change'}`;
}

function accountsText(accounts: Impact['accounts']): string {
  if (!accounts.available) return `accounts: ${accounts.why}`;
  if (accounts.breaching === 0 && accounts.liquidations === 0) return 'no account is hit';
  return `${accounts.breaching} of ${accounts.accounts} accounts in breach, ${moneyText(accounts.notionalToReduce)} to reduce, liquidations: ${accounts.liquidations}`;
}

/** What the next decision leaves for later ones: they go by the governor's floor, pace and delays. */
export function laterText({ maxLeverage, mayLoosen }: Change, impact: Impact | null): string | null {
  if (maxLeverage === null || impact === null || !impact.market.available) return null;
  const next = impact.market.maxLeverageAfter;
  if (next > maxLeverage)
    return `The next decision goes to ${leverageText(next)}, as far as one may; the rest of the way to ${leverageText(maxLeverage)} follows after the pace.`;
  if (mayLoosen && next < maxLeverage)
    return `The next decision goes to ${leverageText(next)}; it loosens towards ${leverageText(maxLeverage)} by the steps and delays of the governor.`;
  return null;
}

type KnownMarketImpact = Extract<Impact['market'], { available: true }>;

/** The ranges of notional for which anything is different afterwards. */
export function changedRanges(market: KnownMarketImpact): KnownMarketImpact['ranges'] {
  return market.ranges.filter(
    (range) =>
      range.leverageBefore !== range.leverageAfter ||
      range.maintenanceRatePpmBefore !== range.maintenanceRatePpmAfter,
  );
}

/** What a step came to, for whoever made it. */
export function outcomeText(change: Change, timeText: (time: string) => string): string {
  const what = `${change.id} (${scopeOf(change)}: ${effectOf(change)})`;
  if (change.status === 'pending')
    return `${what} waits for another person until ${timeText(change.approveBefore ?? change.expiresAt)} UTC.`;
  if (change.status === 'inForce') return `${what} is in force until ${timeText(change.expiresAt)} UTC.`;
  return `${what} is ${statusText(change.status)}.`;
}

import type { z } from 'zod';
import { checkOrder, type UserLimits, userCap } from '../accounts/caps.ts';
import type { MarketLimit } from '../limits/types.ts';
import { formatWhole } from '../units.ts';
import type { RouteContext } from './routes.ts';
import type { capsSchema } from './schemas.ts';

/** @param notional of the whole position, in whole quote units rounded up. */
export function capShape(
  { reads, clock }: RouteContext,
  { symbol, brackets }: MarketLimit,
  notional: number,
  user: UserLimits,
): z.infer<typeof capsSchema>['caps'][number] {
  const [policy, now] = [reads.policy(), clock.now()];
  const cap = userCap(brackets, notional, user, policy, now);
  const order = { notional, leverage: Math.max(cap.maxLeverage, 1) };
  const { maxNotional } = checkOrder(brackets, order, user, policy, now);
  return { symbol, ...cap, reasons: [...cap.reasons], maxNotional: formatWhole(maxNotional) };
}

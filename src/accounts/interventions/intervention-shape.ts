import { isoTime } from '../../clock.ts';
import { formatMoneyDown, formatMoneyUp, withoutNoise } from '../../units.ts';
import { planShape } from '../margin/plan-shape.ts';
import type { Intervention } from './intervention.ts';

/** As it is sent: what is owned is rounded down and what is asked for up. */
export function interventionShape(one: Intervention) {
  return {
    ...one,
    at: isoTime(one.at),
    movedMarkets: [...one.movedMarkets],
    marginRatio: one.marginRatio === null ? null : withoutNoise(one.marginRatio),
    equity: formatMoneyDown(one.equity),
    maintenanceMargin: formatMoneyUp(one.maintenanceMargin),
    shortfall: formatMoneyUp(one.shortfall),
    plan: one.plan.map((item) => planShape(item, one.symbol === null ? 'cross' : 'isolated')),
  };
}

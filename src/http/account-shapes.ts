import type { z } from 'zod';
import type { Intervention } from '../accounts/interventions/intervention.ts';
import { isoTime } from '../clock.ts';
import { formatMoneyDown, formatMoneyUp, withoutNoise } from '../units.ts';
import type { interventionSchema } from './intervention-schemas.ts';
import { planShape } from './margin-shape.ts';

/** What is owned is rounded down and what is asked for up. */
export function interventionShape(one: Intervention): z.infer<typeof interventionSchema> {
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

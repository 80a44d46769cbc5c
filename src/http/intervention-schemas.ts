import { z } from 'zod';
import { INTERVENTION_CAUSES, INTERVENTION_KINDS } from '../accounts/interventions/intervention.ts';
import { ACCOUNT_STATUSES } from '../accounts/interventions/statuses.ts';
import { INTERVENTION_MODES } from '../limits/account-policy.ts';
import { planSchema } from './margin-schemas.ts';
import { symbolSchema, timeSchema, userIdSchema } from './schemas.ts';

const status = z.enum(ACCOUNT_STATUSES);
/** With a sign, and as many decimals as it takes. */
const money = z.string().regex(/^-?\d+(\.\d+)?$/);

export const interventionSchema = z
  .object({
    sequence: z.number().int().min(1),
    at: timeSchema,
    kind: z.enum(INTERVENTION_KINDS),
    mode: z.enum(INTERVENTION_MODES),
    cause: z.enum(INTERVENTION_CAUSES),
    movedMarkets: z.array(symbolSchema),
    accountId: userIdSchema,
    userId: userIdSchema,
    symbol: symbolSchema.nullable(),
    side: z.enum(['long', 'short']).nullable(),
    status,
    previousStatus: status,
    marginRatio: z.number().min(0).nullable(),
    equity: money,
    maintenanceMargin: money,
    shortfall: money,
    stage: z.number().int().min(0),
    plan: z.array(planSchema),
    limitsVersion: z.number().int().min(0),
  })
  .meta({ id: 'Intervention' });

export const interventionsSchema = z
  .object({
    /** Of the newest there is. */
    lastSequence: z.number().int().min(0),
    total: z.number().int().min(0),
    interventions: z.array(interventionSchema),
  })
  .meta({ id: 'Interventions' });

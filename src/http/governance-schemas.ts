import { z } from 'zod';
import { symbolSchema, timeSchema } from './schemas.ts';

/** The shapes of governance: what people ask for, and what became of it. */
const reason = z.string().min(1).max(500);
/** One of the two; the rules say how late it may be. */
const until = { expiresAt: timeSchema.optional(), hours: z.number().optional() };

export const overrideInputSchema = z
  .strictObject({
    symbol: symbolSchema,
    maxLeverage: z.number(),
    mayLoosen: z
      .boolean()
      .optional()
      .describe(
        'In the place of the bounds, after an approval. By default, whether it is above what is in force.',
      ),
    reason,
    ...until,
  })
  .meta({
    id: 'OverrideInput',
    example: { symbol: 'BTCUSDT', maxLeverage: 10, reason: 'delisting of a large collateral', hours: 12 },
  });

export const settlementInputSchema = z
  .strictObject({
    decision: z.enum(['approve', 'reject', 'withdraw']).default('approve'),
    reason,
  })
  .meta({
    id: 'SettlementInput',
    example: { decision: 'approve', reason: 'checked against the order book' },
  });

export const freezeInputSchema = z
  .strictObject({ symbol: symbolSchema.nullable().optional(), reason, ...until })
  .meta({ id: 'FreezeInput', example: { symbol: 'BTCUSDT', reason: 'index is being recomputed', hours: 2 } });

/** By query, or in a body where the client can send one. */
export const thawInputSchema = z
  .strictObject({ symbol: symbolSchema.nullable().optional(), reason: reason.optional() })
  .meta({ id: 'ThawInput' });

export const emergencyInputSchema = z
  .strictObject({ reason, ...until })
  .meta({ id: 'EmergencyInput', example: { reason: 'cascade on all venues', hours: 4 } });

export const emergencyEndInputSchema = z
  .strictObject({ reason: reason.optional() })
  .meta({ id: 'EmergencyEndInput' });

export const changeIdSchema = z.string().regex(/^[a-z]{1,20}-\d{1,12}$/, 'an id such as override-12');

export const changeSchema = z
  .object({
    id: changeIdSchema,
    number: z.number().int(),
    kind: z.enum(['override', 'freeze', 'emergency']),
    status: z.enum([
      'pending',
      'lapsed',
      'inForce',
      'expired',
      'rejected',
      'withdrawn',
      'thawed',
      'ended',
      'replaced',
    ]),
    symbol: symbolSchema.nullable(),
    maxLeverage: z.number().nullable(),
    mayLoosen: z.boolean(),
    reason: z.string(),
    requestedBy: z.string(),
    requestedAt: timeSchema,
    approveBefore: timeSchema.nullable(),
    approvedBy: z.string().nullable(),
    approvedAt: timeSchema.nullable(),
    approvalReason: z.string().nullable(),
    expiresAt: timeSchema,
    closedBy: z.string().nullable(),
    closedAt: timeSchema.nullable(),
    closingReason: z.string().nullable(),
  })
  .meta({ id: 'Change' });

export const actedSchema = z
  .object({
    revision: z.number().int(),
    change: changeSchema,
    ended: z.array(changeSchema).describe('Those that it took the place of.'),
    needs: z.string().nullable().describe('What must happen before it is in force.'),
  })
  .meta({ id: 'Acted' });

export const changesSchema = z
  .object({
    revision: z.number().int(),
    total: z.number().int(),
    pending: z.array(changeSchema),
    changes: z.array(changeSchema),
    nextBefore: z.number().int().nullable(),
  })
  .meta({ id: 'Changes' });

import { z } from 'zod';
import { decimalSchema, symbolSchema, timeSchema } from './schemas.ts';

/** The shapes of governance: what people ask for, and what became of it. */
const reason = z.string().min(1).max(500);
/** One of the two; the rules say how late it may be. */
const preview = z.boolean().optional().describe('Only tells what it would do; nothing is changed.');
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
    preview,
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
  .strictObject({ symbol: symbolSchema.nullable().optional(), reason, ...until, preview })
  .meta({ id: 'FreezeInput', example: { symbol: 'BTCUSDT', reason: 'index is being recomputed', hours: 2 } });

/** By query, or in a body where the client can send one. */
export const thawInputSchema = z
  .strictObject({ symbol: symbolSchema.nullable().optional(), reason: reason.optional() })
  .meta({ id: 'ThawInput' });

export const emergencyInputSchema = z
  .strictObject({ reason, ...until, preview })
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

const unavailableSchema = z.object({ available: z.literal(false), why: z.string() });
const rangeSchema = z.object({ notionalFloor: decimalSchema, notionalCap: decimalSchema });

/** What a change would do, seen before it is done. */
export const impactSchema = z
  .object({
    market: z.union([
      z.object({
        available: z.literal(true),
        maxLeverageBefore: z.number(),
        maxLeverageAfter: z.number(),
        losing: z.array(rangeSchema).describe('Notionals that lose leverage.'),
        ranges: z.array(
          rangeSchema.extend({
            leverageBefore: z.number().describe('0: refused.'),
            leverageAfter: z.number(),
            maintenanceRatePpmBefore: z
              .number()
              .int()
              .nullable()
              .describe('Maintenance margin over notional, of a position at the cap; null: refused.'),
            maintenanceRatePpmAfter: z.number().int().nullable(),
          }),
        ),
      }),
      unavailableSchema,
    ]),
    accounts: z.union([
      z.object({
        available: z.literal(true),
        accounts: z.number().int(),
        breaching: z.number().int(),
        notionalToReduce: decimalSchema,
        liquidations: z.number().int(),
        liquidatedNotional: decimalSchema,
        unusable: z.number().int(),
        hit: z.array(
          z.object({
            accountId: z.string(),
            symbol: symbolSchema,
            notionalToReduce: decimalSchema,
            isLiquidated: z.boolean(),
          }),
        ),
      }),
      unavailableSchema,
    ]),
  })
  .meta({ id: 'Impact' });

export const actedSchema = z
  .object({
    revision: z.number().int(),
    change: changeSchema,
    ended: z.array(changeSchema).describe('Those that it took the place of.'),
    needs: z.string().nullable().describe('What must happen before it is in force.'),
    preview: z.boolean().describe('Whether nothing was changed.'),
    impact: impactSchema.nullable(),
  })
  .meta({ id: 'Acted' });

export const changesSchema = z
  .object({
    revision: z.number().int(),
    total: z.number().int(),
    pending: z
      .array(changeSchema.extend({ impact: impactSchema.nullable() }))
      .describe('What waits for an approval, whatever the page.'),
    inForce: z.array(changeSchema).describe('What is in force, whatever the page, oldest first.'),
    announced: z
      .array(
        z.object({
          symbol: symbolSchema,
          announcedAt: timeSchema,
          effectiveAt: timeSchema,
          impact: impactSchema,
        }),
      )
      .describe('Maintenance tables that open positions will be held to.'),
    changes: z.array(changeSchema),
    nextBefore: z.number().int().nullable(),
  })
  .meta({ id: 'Changes' });

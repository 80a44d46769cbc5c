import { z } from 'zod';
import { ACCOUNT_STATUSES } from '../accounts/interventions/statuses.ts';
import { CAP_NOTES } from '../accounts/position-limits.ts';
import { REDUCE_ONLY_CAUSES } from '../accounts/reduce-only.ts';
import { CAP_REASONS } from '../accounts/user-limits.ts';
import { amountSchema, decimalSchema, ppm, side, symbolSchema, timeSchema, userIdSchema } from './schemas.ts';

/** Shapes of users, their caps and the checks of orders. */
/** A time that an account can have been made at; its UTC form has a year of four digits whatever the offset. */
const accountTimeSchema = timeSchema.refine((text) => {
  const at = Date.parse(text);
  return at >= 0 && at < Date.UTC(2100, 0);
}, 'a time from 1970 to 2099');
/** By how much caps, floors and maintenance amounts are scaled for a user; rates are not. */
const coefSchema = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,6})?$/, 'a decimal string of at most six decimals, such as "0.5"')
  .refine((text) => /[1-9]/.test(text), 'above 0')
  .meta({ id: 'NotionalCoef', example: '0.5' });
const classSchema = z.string().regex(/^[\w.-]{1,40}$/, 'a name of 1 to 40 letters, digits and _ . -');

export const userInputSchema = z
  .strictObject({
    maxLeverage: z.number().min(1).max(1000).nullable().optional(),
    accountCreatedAt: accountTimeSchema.nullable().optional(),
    ownInitialMarginRatePpm: ppm.min(1).nullable().optional(),
    notionalCoef: coefSchema.nullable().optional(),
    experienceClass: classSchema
      .nullable()
      .optional()
      .describe('One of users.experienceClasses of the policy.'),
    overrideMaxLeverage: z
      .number()
      .min(1)
      .max(1000)
      .nullable()
      .optional()
      .describe('Tightens until overrideExpiresAt; all three override settings come together.'),
    overrideExpiresAt: timeSchema.nullable().optional(),
    overrideReason: z.string().min(1).max(500).nullable().optional(),
  })
  .meta({
    id: 'UserInput',
    example: { maxLeverage: 20, accountCreatedAt: '2024-01-01T00:00:00Z', notionalCoef: '0.5' },
  });

export const userSchema = z
  .object({
    userId: userIdSchema,
    maxLeverage: z.number().nullable(),
    accountCreatedAt: timeSchema.nullable(),
    ownInitialMarginRatePpm: z.number().nullable(),
    notionalCoef: coefSchema.nullable(),
    experienceClass: z.string().nullable(),
    overrideMaxLeverage: z.number().nullable(),
    overrideExpiresAt: timeSchema.nullable(),
    overrideReason: z.string().nullable(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'User' });

export const userPolicySchema = z
  .object({
    newAccountDays: z.number().min(0),
    newAccountMaximumLeverage: z.number().min(1),
    maximumNotionalCoef: z.number().min(0),
    notionalCoefRaisesLastCap: z.boolean(),
    openInterestShare: z.number().min(0),
    dailyVolumeShare: z.number().min(0),
    experienceClasses: z.array(z.object({ name: z.string(), maximumLeverage: z.number().min(1) })),
  })
  .meta({ id: 'UserPolicy' });

const reason = z.enum(CAP_REASONS);
const notes = z
  .array(z.enum(CAP_NOTES))
  .describe('What nobody knows, and did not limit or net for that reason.');

const reduceOnlySchema = z
  .object({
    cause: z.enum(REDUCE_ONLY_CAUSES),
    status: z.enum(ACCOUNT_STATUSES),
    side,
    positionNotional: amountSchema,
    allowedNotional: decimalSchema.describe('What the position may be.'),
    capReason: reason.nullable().describe('The cap that the position is above.'),
    reduceBy: timeSchema.nullable().describe('By when it has to fit; null where it may stay.'),
  })
  .meta({ id: 'ReduceOnly' });

/** What would bind next, and the leverage then; null where nothing else limits. */
const next = { nextReason: reason.nullable(), nextMaxLeverage: z.number().min(0).nullable() };

export const capSchema = z.object({
  symbol: symbolSchema,
  maxLeverage: z.number().min(0),
  maxNotional: decimalSchema,
  initialMarginRatePpm: ppm,
  bindingReason: reason,
  ...next,
  reasons: z.array(reason),
  notionalReason: reason.describe('What sets maxNotional.'),
  notes,
  reduceOnly: reduceOnlySchema.nullable(),
});

export const capsQuerySchema = z.object({
  symbol: symbolSchema.optional(),
  notional: decimalSchema
    .optional()
    .describe('Of the whole position; what the account holds where it is left out.'),
  side: side.optional().describe('The tighter one where it is left out and the account holds none or both.'),
  accountId: userIdSchema.optional(),
});

export const capsSchema = z
  .object({
    userId: userIdSchema,
    accountId: userIdSchema
      .nullable()
      .describe('The account whose positions count; null where none is known.'),
    version: z.number().int(),
    degraded: z.boolean(),
    correlationsAsOf: timeSchema.nullable(),
    total: z.number().int(),
    caps: z.array(capSchema),
  })
  .meta({ id: 'Caps' });

export const checkInputSchema = z
  .strictObject({
    userId: userIdSchema,
    symbol: symbolSchema,
    side,
    notional: decimalSchema.describe(
      'Of the order where an account is known, otherwise of the whole position after it.',
    ),
    leverage: z.number().min(1).max(1000),
    accountId: userIdSchema.optional().describe('Needed where the user has several.'),
    reduceOnly: z.boolean().optional(),
    hedge: z.boolean().optional().describe('The account holds both sides of a market apart.'),
    price: decimalSchema.optional().describe('Of the order; the newest mark where it is left out.'),
  })
  .meta({
    id: 'CheckInput',
    example: { userId: 'user-17', symbol: 'BTCUSDT', side: 'long', notional: '25000', leverage: 20 },
  });

export const checkSchema = z
  .object({
    allowed: z.boolean(),
    maxLeverage: z.number().min(0),
    maxNotional: decimalSchema,
    clampedLeverage: z.number().min(0),
    clampedNotional: decimalSchema.describe('Counts what notional counts.'),
    reasons: z.array(reason),
    bindingReason: reason,
    ...next,
    initialMarginRatePpm: ppm.describe('At the cap.'),
    accountId: userIdSchema.nullable(),
    resultingSide: side,
    resultingNotional: amountSchema.describe('Of the whole position after the order.'),
    initialMargin: amountSchema
      .nullable()
      .describe('What the order adds to it, in the settlement asset, at its leverage.'),
    availableBalance: amountSchema.nullable(),
    isMarginEnough: z.boolean().nullable(),
    maintenanceMargin: amountSchema
      .nullable()
      .describe('After the order, of all that shares margin with the position.'),
    liquidationPrice: amountSchema.nullable(),
    reduceOnly: reduceOnlySchema.nullable(),
    notes,
    version: z.number().int(),
    degraded: z.boolean(),
  })
  .meta({ id: 'Check' });

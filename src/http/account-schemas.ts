import { z } from 'zod';
import { ACCOUNT_CODES } from '../accounts/book/account-line.ts';
import { ACCOUNT_STATUSES } from '../accounts/interventions/statuses.ts';
import { decimalSchema, symbolSchema, userIdSchema } from './schemas.ts';

const signedDecimalSchema = z
  .string()
  .regex(/^-?\d{1,15}(\.\d{1,18})?$/, 'a plain decimal string such as "-0.5"');

/** An account as it is streamed and kept in files, one JSON object a line. */
export const accountSchema = z.object({
  accountId: userIdSchema,
  userId: userIdSchema,
  marginMode: z.enum(['cross', 'isolated']),
  equity: signedDecimalSchema,
  positions: z
    .array(
      z.object({
        symbol: symbolSchema,
        side: z.enum(['long', 'short', 'net']),
        quantity: signedDecimalSchema,
        entryPrice: decimalSchema,
        isolatedMargin: signedDecimalSchema.nullish(),
      }),
    )
    .max(1000),
});

/** The same in the body of a request that names the account in its address. */
export const accountInputSchema = accountSchema
  .extend({
    accountId: userIdSchema.optional(),
    userId: userIdSchema.optional(),
    sequence: z.number().int().min(0).optional(),
  })
  .meta({ id: 'AccountInput' });

const status = z.enum(ACCOUNT_STATUSES);

export const putSchema = z.object({ accountId: userIdSchema, status }).meta({ id: 'AccountTaken' });

export const batchSchema = z
  .object({
    /** Lines that were not empty. */
    total: z.number().int().min(0),
    accepted: z.number().int().min(0),
    ignored: z.number().int().min(0),
    refused: z.number().int().min(0),
    /** Every line that has no effect, in order. */
    lines: z.array(
      z.object({
        line: z.number().int().min(1),
        accountId: z.string().nullable(),
        outcome: z.enum(['ignored', 'refused']),
        code: z.enum(ACCOUNT_CODES),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'AccountsTaken' });

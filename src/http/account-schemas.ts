import { z } from 'zod';
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

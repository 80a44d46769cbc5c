import { z } from 'zod';
import { sha256, timeSchema } from './schemas.ts';

export const auditEntrySchema = z
  .object({
    sequence: z.number().int(),
    at: timeSchema,
    kind: z.string(),
    actor: z.string(),
    subject: z.string(),
    reason: z.string(),
    details: z.record(z.string(), z.unknown()),
    previousHash: sha256,
    hash: sha256,
  })
  .meta({ id: 'AuditEntry' });

/** As it was signed: `plimsoll audit verify --checkpoint` takes it from a file. */
const checkpointSchema = z
  .object({
    format: z.literal('plimsoll-checkpoint-1'),
    number: z.number().int(),
    at: timeSchema,
    books: z.number().int(),
    bookHash: sha256,
    auditEntries: z.number().int(),
    auditHash: sha256,
    keyId: z.string(),
    signature: z.string(),
  })
  .meta({ id: 'Checkpoint' });

export const auditSchema = z
  .object({
    total: z.number().int(),
    length: z.number().int().describe('How many entries the whole chain has.'),
    nextAfter: z.number().int().nullable().describe('Null at the end, and where the newest come first.'),
    nextBefore: z
      .number()
      .int()
      .nullable()
      .describe('Null at the beginning, and where the oldest come first.'),
    checkpoint: checkpointSchema.nullable(),
    entries: z.array(auditEntrySchema),
  })
  .meta({ id: 'Audit' });

import { z } from 'zod';
import { auditEntrySchema, auditSchema } from './audit-schemas.ts';
import { refuse } from './problem.ts';
import type { Route } from './routes.ts';
import { limitQuery } from './schemas.ts';
import { auditEntryShape } from './shapes.ts';

/** What was decided, by whom, and how far both chains are signed. */
export const AUDIT_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/audit',
    operationId: 'getAudit',
    scope: 'audit:read',
    summary: 'The audit chain, oldest first, after a sequence number, and its newest signed checkpoint',
    query: z.object({
      after: z.coerce.number().int().min(0).default(0),
      limit: limitQuery,
    }),
    answer: auditSchema,
    handle: async ({ reads }, { query }) => {
      const { after, limit } = query as { after: number; limit: number };
      const entries = (await reads.audit(after, limit)).map(auditEntryShape);
      const nextAfter = entries.length < limit ? null : (entries.at(-1)?.sequence ?? null);
      const checkpoint = await reads.latestCheckpoint();
      return { json: { total: entries.length, nextAfter, checkpoint, entries } };
    },
  },
  {
    method: 'get',
    path: '/v1/audit/{id}',
    operationId: 'getAuditEntry',
    scope: 'audit:read',
    summary: 'One entry of the audit chain',
    params: z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    answer: auditEntrySchema,
    handle: async ({ reads }, { params }) => {
      const entry = await reads.auditEntry(Number(params.id));
      if (entry === null)
        throw refuse('NOT_FOUND', `there is no audit entry ${params.id}`, 'List them: GET /v1/audit.');
      return { json: auditEntryShape(entry) };
    },
  },
];

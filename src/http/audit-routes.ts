import { z } from 'zod';
import { auditEntrySchema, auditSchema } from './audit-schemas.ts';
import { refuse } from './problem.ts';
import type { Route } from './routes.ts';
import { limitQuery } from './schemas.ts';
import { auditEntryShape } from './shapes.ts';

const sequenceQuery = z.coerce.number().int().max(Number.MAX_SAFE_INTEGER);
const auditQuery = z.object({
  after: sequenceQuery
    .min(0)
    .optional()
    .describe('Oldest first, those after it; from the first where it is left out.'),
  before: sequenceQuery.min(1).optional().describe('Newest first, those before it.'),
  limit: limitQuery,
});

/** What was decided, by whom, and how far both chains are signed. */
export const AUDIT_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/audit',
    operationId: 'getAudit',
    scope: 'audit:read',
    summary:
      'The audit chain, oldest first after a sequence number, or newest first before one, and its newest signed checkpoint',
    query: auditQuery,
    answer: auditSchema,
    handle: async ({ reads }, { query }) => {
      const { after, before, limit } = query as z.infer<typeof auditQuery>;
      if (after !== undefined && before !== undefined)
        throw refuse(
          'INPUT_INVALID',
          'both after and before are given',
          'Give after for the oldest first, or before for the newest first.',
        );
      const page = await (before === undefined
        ? reads.audit(after ?? 0, limit)
        : reads.auditBefore(before, limit));
      const last = page.at(-1)?.sequence ?? null;
      const isEnd = page.length < limit;
      return {
        json: {
          total: page.length,
          length: await reads.auditLength(),
          nextAfter: before !== undefined || isEnd ? null : last,
          nextBefore: before === undefined || isEnd || last === 1 ? null : last,
          checkpoint: await reads.latestCheckpoint(),
          entries: page.map(auditEntryShape),
        },
      };
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

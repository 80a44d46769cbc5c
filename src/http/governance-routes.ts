import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Actor, Command, Conditions } from '../control/reads.ts';
import { idempotencyKeyOf } from './access/idempotent-writes.ts';
import {
  actedSchema,
  changeIdSchema,
  changesSchema,
  emergencyEndInputSchema,
  emergencyInputSchema,
  freezeInputSchema,
  overrideInputSchema,
  settlementInputSchema,
  thawInputSchema,
} from './governance-schemas.ts';
import { actedShape, changesShape, triedShape } from './governance-shapes.ts';
import { refuse } from './problem.ts';
import type { Route, RouteAnswer, RouteContext, RouteInput } from './routes.ts';

const SIGNED = { isJudgedByRules: true } as const;

/** What people may change, and what they have changed. */
export const GOVERNANCE_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/changes',
    operationId: 'getChanges',
    scope: 'governance:read',
    summary: 'What people changed: what waits for an approval, what is in force, what is over',
    query: z.object({
      before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(Number.MAX_SAFE_INTEGER),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: changesSchema,
    handle: async ({ reads }, { query }) => {
      const { before, limit } = query as { before: number; limit: number };
      return { json: await changesShape(reads.governance, before, limit) };
    },
  },
  {
    method: 'post',
    path: '/v1/overrides',
    operationId: 'requestOverride',
    scope: 'governance:change',
    summary: 'Caps a market; what grants more than is in force waits for a second person',
    body: overrideInputSchema,
    answer: actedSchema,
    ...SIGNED,
    handle: (context, input) => {
      const { expiresAt, preview, ...given } = input.body as z.infer<typeof overrideInputSchema>;
      const command: Command = { act: 'override', ...given, ...endOf(expiresAt) };
      return preview ? tryOut(context, input, command) : act(context, input, command);
    },
  },
  {
    method: 'post',
    path: '/v1/approvals/{id}',
    operationId: 'settleOverride',
    scope: 'governance:approve',
    summary: 'Approves, rejects or withdraws an override',
    params: z.object({ id: changeIdSchema }),
    body: settlementInputSchema,
    answer: actedSchema,
    ...SIGNED,
    handle: (context, input) => {
      const { decision, reason } = input.body as z.infer<typeof settlementInputSchema>;
      return act(context, input, { act: decision, id: input.params.id, reason });
    },
  },
  {
    method: 'post',
    path: '/v1/freeze',
    operationId: 'freeze',
    scope: 'governance:change',
    summary: 'No limit of a market, or of all, moves until it is thawed or until it expires',
    body: freezeInputSchema,
    answer: actedSchema,
    ...SIGNED,
    handle: (context, input) => {
      const { expiresAt, symbol, preview, ...given } = input.body as z.infer<typeof freezeInputSchema>;
      const command: Command = { act: 'freeze', symbol: symbol ?? null, ...given, ...endOf(expiresAt) };
      return preview ? tryOut(context, input, command) : act(context, input, command);
    },
  },
  {
    method: 'delete',
    path: '/v1/freeze',
    operationId: 'thaw',
    scope: 'governance:change',
    summary: 'Ends the freeze of a market, or the one of all markets',
    query: thawInputSchema,
    body: thawInputSchema,
    isBodyOptional: true,
    answer: actedSchema,
    ...SIGNED,
    handle: (context, input) => {
      const { symbol } = given<z.infer<typeof thawInputSchema>>(input);
      return act(context, input, { act: 'thaw', symbol: symbol ?? null, reason: requireReason(input) });
    },
  },
  {
    method: 'post',
    path: '/v1/emergency',
    operationId: 'declareEmergency',
    scope: 'governance:change',
    summary: 'Limits may be cut below the floor of one decision while it lasts',
    body: emergencyInputSchema,
    answer: actedSchema,
    ...SIGNED,
    handle: (context, input) => {
      const { expiresAt, preview, ...given } = input.body as z.infer<typeof emergencyInputSchema>;
      const command: Command = { act: 'declareEmergency', ...given, ...endOf(expiresAt) };
      return preview ? tryOut(context, input, command) : act(context, input, command);
    },
  },
  {
    method: 'delete',
    path: '/v1/emergency',
    operationId: 'endEmergency',
    scope: 'governance:change',
    summary: 'Ends the emergency',
    query: emergencyEndInputSchema,
    body: emergencyEndInputSchema,
    isBodyOptional: true,
    answer: actedSchema,
    ...SIGNED,
    handle: (context, input) => act(context, input, { act: 'endEmergency', reason: requireReason(input) }),
  },
];

async function act(
  { reads, keyring }: RouteContext,
  input: RouteInput,
  command: Command,
): Promise<RouteAnswer> {
  const { governance } = reads;
  const actor = input.caller as Actor;
  const acted = await governance.act(actor, command, conditionsOf(input.headers));
  return { status: 200, json: await actedShape(acted, governance, keyring, actor) };
}

async function tryOut(
  { reads, keyring }: RouteContext,
  input: RouteInput,
  command: Command,
): Promise<RouteAnswer> {
  const actor = input.caller as Actor;
  return { status: 200, json: await triedShape(command, reads.governance, keyring, actor) };
}

function endOf(expiresAt: string | undefined): { readonly expiresAt?: number } {
  return expiresAt === undefined ? {} : { expiresAt: Date.parse(expiresAt) };
}

/** What a DELETE was given: in its query, in its body, or in both. */
function given<T extends object>({ query, body }: RouteInput): T {
  return { ...query, ...(body as object) } as T;
}

function requireReason(input: RouteInput): string {
  const { reason } = given<{ readonly reason?: string }>(input);
  if (reason !== undefined) return reason;
  throw refuse('INPUT_INVALID', 'a reason is needed, which the audit keeps', 'Add ?reason=… to the address.');
}

function conditionsOf(headers: IncomingHttpHeaders): Conditions {
  return { idempotencyKey: idempotencyKeyOf(headers), revisions: revisionsOf(headers['if-match']) };
}

/** The revisions that `If-Match: "12"` names; undefined where any will do. */
function revisionsOf(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  return header
    .split(',')
    .map((tag) => /^"(\d{1,15})"$/.exec(tag.trim())?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number);
}

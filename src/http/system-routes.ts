import type { z } from 'zod';
import { formatMoneyDown } from '../units.ts';
import { requireBook, requireMarket } from './books.ts';
import type { Route } from './routes.ts';
import { stressInputSchema, stressSchema, systemSchema } from './system-schemas.ts';

/** All accounts as one system. */
export const SYSTEM_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/system',
    operationId: 'getSystem',
    needs: 'accounts',
    scope: 'system:read',
    touches: 'nobody',
    summary:
      'Leverage of everybody, crowding, and what is liquidated when a price moves; made anew every ten seconds at most',
    answer: systemSchema,
    handle: async (context) => {
      requireBook(context);
      return { json: await context.reads.accounts.system() };
    },
  },
  {
    method: 'post',
    path: '/v1/stress',
    operationId: 'postStress',
    needs: 'accounts',
    scope: 'system:read',
    touches: 'nobody',
    summary:
      'What a shock would set off: closeouts, impact, more closeouts, by round and by market; changes nothing',
    body: stressInputSchema,
    answer: stressSchema,
    handle: async (context, { body }) => {
      const book = requireBook(context);
      const { move, moves } = body as z.infer<typeof stressInputSchema>;
      for (const symbol of Object.keys(moves)) requireMarket(book, symbol);
      const { insuranceFund, ...answer } = await context.reads.accounts.stress({ move, moves });
      return { json: { ...answer, insuranceFund: formatMoneyDown(insuranceFund) }, status: 200 };
    },
  },
];

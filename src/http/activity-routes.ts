import type { z } from 'zod';
import { type ActivityCode, activityOutcomeOf, type ObservedActivity } from '../control/reads.ts';
import { ppmToRate } from '../units.ts';
import { activityLineSchema, activityTakenSchema } from './activity-schemas.ts';
import { readLines } from './ndjson-lines.ts';
import type { Route } from './routes.ts';

const MESSAGES: Readonly<Record<ActivityCode, string>> = {
  ACTIVITY_INVALID: 'no line of open interest or depth',
  MARKET_UNKNOWN: 'there is no such market',
  ACTIVITY_FUTURE: 'its time is in the future',
  ACTIVITY_STALE: 'it is too old for any decision',
  ACTIVITY_IMPLAUSIBLE: 'no market has as little or as much',
  ACTIVITY_OUT_OF_ORDER: 'a later observation is known',
  ACTIVITY_REPEATED: 'it is known',
};

type ActivityLine = z.infer<typeof activityLineSchema>;

/** Open interest and order books. */
export const ACTIVITY_ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/v1/market-activity',
    operationId: 'postMarketActivity',
    needs: 'leader',
    scope: 'prices:write',
    touches: 'nobody',
    summary: 'Takes open interest and order-book depth in, a line each market; the next decision counts them',
    line: activityLineSchema,
    answer: activityTakenSchema,
    handle: ({ reads, clock }, { body }) => {
      const lines = readLines(body, activityLineSchema);
      const codes = reads.activity.take(
        lines.map(({ value }) => (value === null ? null : observedOf(value))),
        clock.now(),
      );
      const counts = { ignored: 0, refused: 0 };
      const without = lines.flatMap(({ line, value, fault }, i) => {
        const code = codes[i];
        if (code === null) return [];
        const outcome = activityOutcomeOf(code);
        counts[outcome]++;
        return [{ line, symbol: value?.symbol ?? null, outcome, code, message: fault ?? MESSAGES[code] }];
      });
      return {
        status: 200,
        json: { total: lines.length, accepted: lines.length - without.length, ...counts, lines: without },
      };
    },
  },
];

function observedOf({ symbol, openInterest, depth, observedAt }: ActivityLine): ObservedActivity {
  return {
    symbol,
    openInterest: openInterest === undefined ? null : Number(openInterest),
    depth:
      depth === undefined
        ? null
        : { quoteNotional: Number(depth.quoteNotional), bandRate: ppmToRate(depth.bandRatePpm) },
    observedAt: Date.parse(observedAt),
  };
}

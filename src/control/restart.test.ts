import { describe, expect, test } from 'vitest';
import { selectBars } from '../../test/random-market.ts';
import { NO_GOVERNANCE } from '../limits/governance.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import type { DecisionEngine } from './decision-engine.ts';
import { engineOn, HOUR, MemoryMarkets, NOW, threeMarkets } from './test-market-data.ts';

async function decide(engine: DecisionEngine, previous: LimitBook | null, now: number): Promise<LimitBook> {
  const proposal = await engine.propose(previous, now, NO_GOVERNANCE);
  if (proposal === null) throw new Error('there was nothing to decide');
  return proposal.book;
}

describe('what an engine remembers of the hours before', () => {
  test('shows in no book: each is, to the bit, that of an engine started for it, whatever is imported between', async () => {
    const policies = (['longLookbackFloor', 'stressedWeight'] as const).map((option) => ({
      ...DEFAULT_POLICY,
      bounds: {
        ...DEFAULT_POLICY.bounds,
        tailUse: 'both' as const,
        antiProcyclical: { ...DEFAULT_POLICY.bounds.antiProcyclical, option },
      },
    }));
    // A shock model would learn levels, which are kept in the data folder and not in the engine.
    const champion = { predictor: null, reason: 'there is none' };
    for (const policy of policies) {
      const reader = new MemoryMarkets();
      const running = engineOn(reader, champion, { policy });
      let previous: LimitBook | null = null;
      for (let hour = 0; hour < 30; hour++) {
        const [first, ...others] = threeMarkets();
        // Read anew each hour; for some hours a market's newest bars are missing, and then come late.
        const closed = hour % 7 === 3 ? hour - 2 : hour;
        const late = selectBars(first.bars, (i) => first.bars.openTime[i] < NOW + closed * HOUR);
        // One bar of another is corrected at some time.
        if (hour > 20) others[0].bars.quoteVolume[others[0].bars.length - 200] *= 2;
        reader.store([{ ...first, bars: late }, ...others]);
        const started = engineOn(reader, champion, { policy });
        const now = NOW + hour * HOUR;
        const anew = await decide(started, previous, now);
        const next = await decide(running, previous, now);
        expect(next.hash).toBe(anew.hash);
        previous = next;
      }
    }
  });
});

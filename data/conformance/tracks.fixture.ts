import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceStore } from '../../src/control/ports.ts';
import { type TrackPoint, trackOf } from '../../src/control/track-point.ts';
import { EXAMPLE_POLICY, largeMarket } from '../../src/limits/test-inputs.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { decidedBook, decisionDraft, FIRST_DECISION, HOUR } from '../test-books.ts';
import type { MakePlace, StorePlace } from './store-place.fixture.ts';

const at = (i: number): number => FIRST_DECISION + i * HOUR;

/** A book an hour, of two markets whose bars closed when it was decided; its points as they were published. */
export async function publishTracked(
  store: ServiceStore,
  books: number,
): Promise<{ books: LimitBook[]; points: TrackPoint[] }> {
  const made: LimitBook[] = [];
  const points: TrackPoint[] = [];
  for (let i = 0; i < books; i++) {
    const asOf = FIRST_DECISION + i * HOUR;
    const { book } = decidedBook(
      made.at(-1) ?? null,
      ['AUSDT', 'BUSDT'].map((symbol) => largeMarket({ symbol, asOf })),
    );
    const closes = { AUSDT: { asOf, price: 100 + i }, BUSDT: { asOf: asOf - HOUR, price: 7 } };
    const own = trackOf(book.version, book.markets, closes, EXAMPLE_POLICY);
    await store.publish(book, decisionDraft(book), undefined, [], own);
    made.push(book);
    points.push(...own);
  }
  return { books: made, points };
}

/** What every state store holds about the decisions of each market over time. */
export function tracksConform(makePlace: MakePlace): void {
  describe('tracks', () => {
    let place: StorePlace;
    let store: ServiceStore;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });

    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    test('the track of a market has what each decision allowed and forecast, and comes back as it was published', async () => {
      const { points, books } = await publishTracked(store, 4);
      const own = points.filter(({ symbol }) => symbol === 'AUSDT');
      expect(await store.track('AUSDT', 0, at(9), 9)).toEqual(own);
      const cell = books[2].markets[0].forecasts.find(
        ({ side, horizonHours, confidence }) => side === 'long' && horizonHours === 4 && confidence === 0.99,
      );
      expect(own[2]).toMatchObject({
        version: 3,
        asOf: at(2),
        close: 102,
        horizonHours: 4,
        confidence: 0.99,
      });
      expect(cell?.valueAtRisk).toBeGreaterThan(0);
      expect(own[2].longValueAtRisk).toBe(cell?.valueAtRisk);
      expect(own[2].maxLeverage).toBe(books[2].markets[0].brackets[0].maxLeverage);
      // The bar that its close is of is another than the newest one that was used.
      expect(points.filter(({ symbol }) => symbol === 'BUSDT').map(({ close }) => close)).toEqual(
        Array(4).fill(null),
      );
    });

    test('a part of a track is told by when its bars closed, both ends with it, the newest of more than fit', async () => {
      await publishTracked(store, 6);
      const versions = async (from: number, to: number, limit: number): Promise<number[]> =>
        (await store.track('AUSDT', from, to, limit)).map(({ version }) => version);
      expect(await versions(at(1), at(3), 9)).toEqual([2, 3, 4]);
      expect(await versions(at(1) + 1, at(4) - 1, 9)).toEqual([3, 4]);
      expect(await versions(at(0), at(5), 2)).toEqual([5, 6]);
      expect(await versions(at(6), at(9), 9)).toEqual([]);
      expect(await store.track('NONEUSDT', 0, at(9), 9)).toEqual([]);
    });

    test('the tracks of all markets since a time come together', async () => {
      const { points } = await publishTracked(store, 20);
      expect(await store.trackSince(at(3))).toEqual(points.filter(({ asOf }) => asOf >= at(3)));
      expect(await store.trackSince(0)).toEqual(points);
      expect(await store.trackSince(at(20))).toEqual([]);
    });

    test('a point of a book that is refused is not stored either', async () => {
      const { books, points } = await publishTracked(store, 2);
      const again = books[1];
      await expect(
        store.publish(again, decisionDraft(again), undefined, [], points.slice(2)),
      ).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await store.track('AUSDT', 0, at(9), 9)).toHaveLength(2);
    });

    test.each([
      ['what was allowed', 'max_leverage = 125'],
      ['the bound', "binding_bound = 'listingAge'"],
      ['the time', 'as_of = as_of + 1'],
      ['the forecast of a side', 'short_value_at_risk = short_value_at_risk / 2'],
      ['a forecast that is no more', 'long_value_at_risk = NULL'],
      ['the horizon of the forecast', 'horizon_hours = 8'],
    ])('verify finds that a track has %s changed', async (_, change) => {
      await publishTracked(store, 3);
      expect((await store.verify()).firstBadBook).toBeNull();
      await place.tamper(`UPDATE market_track SET ${change} WHERE version = 2 AND symbol = 'BUSDT'`);
      expect((await store.verify()).firstBadBook).toEqual({
        version: 2,
        reason: 'the track of a market differs from it',
      });
    });

    test('verify finds a point of a market that is not in the book', async () => {
      await publishTracked(store, 3);
      await place.tamper(
        "UPDATE market_track SET symbol = 'NONEUSDT' WHERE version = 3 AND symbol = 'BUSDT'",
      );
      expect((await store.verify()).firstBadBook).toMatchObject({ version: 3 });
    });
  });
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { type AccountOrder, checkAccountOrder } from './account-check.ts';
import { fittingNotional, largestNotionalAt, userCap } from './caps.ts';
import { MARGIN_STATUSES } from './margin/measure.ts';
import { CAP_NOTES, positionLimits } from './position-limits.ts';
import {
  held,
  marketOf,
  NOW,
  nettingAt,
  OLD_USER,
  order,
  questionOf,
  type Setting,
  viewOf,
} from './test-cap-accounts.ts';
import { UNKNOWN_USER } from './user-limits.ts';

const check = (setting: Setting, given: AccountOrder) => checkAccountOrder(questionOf(setting), given);

describe('an order of an account', () => {
  it.each([
    [
      'adds to the position on its side',
      500,
      'long',
      100,
      {},
      { resultingSide: 'long', resultingNotional: 600 },
    ],
    [
      'reduces the one on the other side',
      500,
      'short',
      100,
      {},
      { resultingSide: 'long', resultingNotional: 400 },
    ],
    ['closes it', 500, 'short', 500, {}, { resultingSide: 'long', resultingNotional: 0 }],
    ['turns it around', 500, 'short', 700, {}, { resultingSide: 'short', resultingNotional: 200 }],
    [
      'ends with it where it is reduce-only',
      500,
      'short',
      700,
      { reduceOnly: true },
      { resultingSide: 'long', resultingNotional: 0 },
    ],
    [
      'opens the other leg in hedge mode',
      500,
      'short',
      100,
      { isHedge: true },
      { resultingSide: 'short', resultingNotional: 100 },
    ],
    [
      'reduces the other leg in hedge mode where it is reduce-only',
      ...([500, 'short', 100, { isHedge: true, reduceOnly: true }] as const),
      { resultingSide: 'long', resultingNotional: 400 },
    ],
  ] as const)('%s', (_, position, side, notional, changes, effect) => {
    const result = check({ positions: [held('BTCUSDT', position)] }, order(side, notional, changes));
    expect(result).toMatchObject({ allowed: true, reasons: [], effect });
  });

  it('is checked at the whole position: a bracket that the order alone would not reach', () => {
    const setting = { equity: 5e7, positions: [held('BTCUSDT', 5e7)] };
    const { brackets } = marketOf('BTCUSDT');
    const [first, second] = brackets;
    const leverage = first.maxLeverage;
    const room = { ...setting, positions: [held('BTCUSDT', first.notionalCap - 100)], user: OLD_USER };
    expect(check({ ...room, equity: 1e9 }, order('long', 100, { leverage })).allowed).toBe(true);
    expect(check({ ...room, equity: 1e9 }, order('long', 101, { leverage }))).toMatchObject({
      allowed: false,
      maxLeverage: second.maxLeverage,
      clampedNotional: 100,
      reasons: ['BRACKET'],
    });
  });

  it('is held to what the positions in other markets leave', () => {
    const own = check({}, order('long', 1, { leverage: 1 })).cap;
    const others = { positions: [held('ETHUSDT', 20_000)] };
    const beside = check(others, order('long', 1, { leverage: 1 })).cap;
    expect(beside.bindingReason).toBe('PORTFOLIO_RISK');
    expect(beside.maxLeverage).toBeLessThan(own.maxLeverage);
    expect(beside.nextReason).toBe('BRACKET');
    const apart = check({ ...others, netting: nettingAt(0) }, order('long', 1, { leverage: 1 })).cap;
    expect(apart.maxLeverage).toBeGreaterThan(beside.maxLeverage);
    const unknown = check({ ...others, netting: null }, order('long', 1, { leverage: 1 })).cap;
    expect(unknown.bindingReason).toBe('PORTFOLIO_RISK_NOT_NETTED');
    expect(unknown.maxLeverage).toBeLessThan(beside.maxLeverage);
  });

  it('is held to a share of the open interest and of the volume, with what the user holds elsewhere', () => {
    const others = [viewOf({ equity: 1e9, positions: [held('ETHUSDT', 1_000_000)] })];
    const eth = { symbol: 'ETHUSDT', equity: 1e9, others };
    const share = DEFAULT_POLICY.users.openInterestShare * 3e7;
    expect(check(eth, order('long', share - 1e6)).allowed).toBe(true);
    expect(check(eth, order('long', share - 1e6 + 1))).toMatchObject({
      allowed: false,
      maxLeverage: 0,
      clampedNotional: share - 1e6,
      reasons: ['OPEN_INTEREST_SHARE'],
    });
    expect(check(eth, order('short', share)).allowed).toBe(true);
    const { limits, notes } = positionLimits({
      ...{ market: marketOf('BTCUSDT'), side: 'long', policy: DEFAULT_POLICY, view: null },
      ...{ otherViews: [], netting: null, isHedge: false },
    });
    expect(limits.map(({ reason }) => reason)).toEqual(['VOLUME_SHARE']);
    expect(notes).toEqual(['NO_ACCOUNT', 'OPEN_INTEREST_UNKNOWN']);
    expect(CAP_NOTES).toEqual(expect.arrayContaining([...notes]));
  });
});

describe('an account that may only reduce', () => {
  it.each([
    ['its status', { status: 'reduceOnly' }, 'ACCOUNT_STATUS'],
    ['a worse status', { status: 'backstop' }, 'ACCOUNT_STATUS'],
    ['no equity', { equity: 0 }, 'NO_EQUITY'],
    ['a debt', { equity: -500 }, 'NO_EQUITY'],
    ['a mark that is missing', { marks: { BTCUSDT: null } }, 'PRICE_UNKNOWN'],
    ['a position above its caps', { positions: [held('BTCUSDT', 90_000)] }, 'POSITION_ABOVE_CAPS'],
    [
      'a user whose limit fell',
      { user: { ...OLD_USER, maxLeverage: 1 }, positions: [held('BTCUSDT', 1500)] },
      'POSITION_ABOVE_CAPS',
    ],
  ] as const)('because of %s, is told so with the numbers, and may reduce', (_, setting, cause) => {
    const positions = [held('BTCUSDT', 500)];
    const given: Setting = { positions, ...setting };
    const added = check(given, order('long', 10, { leverage: 1 }));
    expect(added).toMatchObject({
      allowed: false,
      reasons: ['REDUCE_ONLY'],
      clampedLeverage: 0,
      clampedNotional: 0,
      reduceOnly: { cause },
    });
    const { quantity } = (given.positions ?? positions)[0];
    for (const notional of [1, quantity])
      expect(check(given, order('short', notional, { leverage: 100 }))).toMatchObject({
        allowed: true,
        clampedLeverage: 100,
        clampedNotional: notional,
      });
    const turned = check(given, order('short', quantity + 10, { leverage: 1 }));
    expect(turned).toMatchObject({ allowed: false, reasons: ['REDUCE_ONLY'], clampedNotional: quantity });
    expect(added.reduceOnly?.positionNotional).toBe(quantity);
  });

  it('may add again once the position fits', () => {
    const setting = { positions: [held('BTCUSDT', 90_000)] };
    const { reduceOnly } = check(setting, order('long', 10));
    const fits = reduceOnly?.allowedNotional ?? 0;
    expect(fits).toBeGreaterThan(0);
    const holding = (notional: number) =>
      check({ positions: [held('BTCUSDT', notional)] }, order('long', 0.5));
    expect(holding(fits).reduceOnly).toBeNull();
    expect(holding(fits + 1).reduceOnly?.cause).toBe('POSITION_ABOVE_CAPS');
  });

  it('keeps the other markets open', () => {
    const setting = { equity: 1e6, positions: [held('BTCUSDT', 1e9)], netting: nettingAt(0) };
    expect(check(setting, order('short', 10, { leverage: 1 })).allowed).toBe(true);
    expect(check({ status: 'marginCall' }, order('long', 10, { leverage: 1 })).allowed).toBe(true);
  });

  it('is refused an order that may only reduce and has nothing to', () => {
    for (const positions of [[], [held('BTCUSDT', 500)]])
      expect(check({ positions }, order('long', 10, { reduceOnly: true }))).toMatchObject({
        allowed: false,
        reasons: ['REDUCE_ONLY'],
        reduceOnly: { cause: 'NOTHING_TO_REDUCE' },
      });
  });

  it('has until the end of the notice where the policy gives one for limits that changed, and no end otherwise', () => {
    const policy = {
      ...DEFAULT_POLICY,
      users: { ...DEFAULT_POLICY.users, openPositions: 'reduceWithNotice' as const, noticeHours: 24 },
    };
    const positions = [held('BTCUSDT', 5000)];
    const user = { ...OLD_USER, maxLeverage: 2 };
    const by = (setting: Setting) => check(setting, order('long', 1, { leverage: 1 })).reduceOnly?.reduceBy;
    const day = 24 * HOUR_MILLISECONDS;
    const { changedAt } = marketOf('BTCUSDT').governor;
    expect(by({ policy, positions, user, userChangedAt: NOW })).toBe(NOW + day);
    expect(by({ policy, positions, user })).toBe(changedAt + day);
    expect(by({ positions, user, userChangedAt: NOW })).toBeNull();
    // Bought at twice the price with 2500: the loss, and no new limit, is what it is above.
    const lost = [held('BTCUSDT', 3000, { entryPrice: 1.7 })];
    expect(by({ policy, positions: lost, equity: 2700, user, userChangedAt: NOW })).toBeNull();
  });
});

const anyNumber = fc.double({ min: 0, max: 1e6, noNaN: true });
const anyPosition = (symbol: string) =>
  fc
    .record({
      quantity: fc.oneof(
        anyNumber,
        anyNumber.map((size) => -size),
        fc.integer({ min: -1000, max: 1000 }),
      ),
      entryPrice: fc.double({ min: 0.8, max: 1.25, noNaN: true }),
    })
    .filter(({ quantity }) => Math.abs(quantity) > 1e-6)
    .map(({ quantity, entryPrice }) => held(symbol, quantity, { entryPrice }));
const anyUser = fc.record({
  ...Object.fromEntries(Object.entries(UNKNOWN_USER).map(([name, value]) => [name, fc.constant(value)])),
  accountCreatedAt: fc.constantFrom(null, 0),
  maxLeverage: fc.constantFrom(null, 1, 7.5),
  notionalCoefMicros: fc.constantFrom(null, 250_000),
}) as unknown as fc.Arbitrary<typeof UNKNOWN_USER>;
const anySetting = fc.record({
  equity: fc.oneof(
    { weight: 3, arbitrary: anyNumber },
    { weight: 6, arbitrary: fc.double({ min: 1e5, max: 1e7, noNaN: true }) },
    fc.constantFrom(0, -10, 1e9),
  ),
  positions: fc
    .tuple(fc.option(anyPosition('BTCUSDT')), fc.option(anyPosition('ETHUSDT')))
    .map((both) => both.filter((one) => one !== null)),
  status: fc.oneof(
    { weight: 8, arbitrary: fc.constant('healthy' as const) },
    fc.constantFrom(...MARGIN_STATUSES),
  ),
  user: anyUser,
  symbol: fc.constantFrom('BTCUSDT', 'ETHUSDT'),
  netting: fc.oneof(fc.constant(null), fc.double({ min: -1, max: 1, noNaN: true }).map(nettingAt)),
});
const anyOrder = fc
  .record({
    side: fc.constantFrom('long' as const, 'short' as const),
    notional: fc.oneof(anyNumber, fc.integer({ min: 0, max: 5_000_000 })),
    leverage: fc.double({ min: 1, max: 120, noNaN: true }),
    reduceOnly: fc.boolean(),
    isHedge: fc.boolean(),
  })
  .map(({ side, notional, ...rest }) => order(side, notional, rest));

describe('whatever the account and the order', () => {
  it('it is allowed exactly when neither clamp changes it, and each clamp makes it allowed', () => {
    let clamped = 0;
    fc.assert(
      fc.property(anySetting, anyOrder, (setting, given) => {
        const question = questionOf({ ...setting, isHedge: given.isHedge });
        const ask = (changes: Partial<AccountOrder>) => checkAccountOrder(question, { ...given, ...changes });
        const result = ask({});
        const isUnchanged =
          result.clampedLeverage === given.leverage && result.clampedNotional === given.notional;
        expect(result.allowed).toBe(isUnchanged);
        expect(result.allowed).toBe(result.reasons.length === 0);
        if (result.allowed) return;
        if (result.clampedNotional > 0) {
          clamped++;
          const notional = result.clampedNotional;
          expect(ask({ notional, wholeNotional: Math.ceil(notional) }).allowed).toBe(true);
        }
        if (result.clampedLeverage > 0) {
          clamped++;
          expect(ask({ leverage: result.clampedLeverage }).allowed).toBe(true);
        }
      }),
      { seed: 5, numRuns: 600 },
    );
    expect(clamped).toBeGreaterThan(100);
  });

  it('what only reduces is allowed', () => {
    let reducing = 0;
    fc.assert(
      fc.property(
        anySetting,
        anyOrder,
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (setting, given, part) => {
          const position = setting.positions.find(({ symbol }) => symbol === setting.symbol);
          if (position === undefined) return;
          reducing++;
          const size = Math.abs(position.quantity) * part;
          const against = { ...given, ...order(position.quantity > 0 ? 'short' : 'long', size) };
          const isHedge = given.isHedge && given.reduceOnly;
          const result = check(setting, {
            ...against,
            leverage: given.leverage,
            reduceOnly: given.reduceOnly,
            isHedge,
          });
          expect(result).toMatchObject({
            allowed: true,
            clampedNotional: size,
            clampedLeverage: given.leverage,
          });
        },
      ),
      { seed: 6, numRuns: 400 },
    );
    expect(reducing).toBeGreaterThan(100);
  });

  it('more equity never lowers a cap, and tightening a limit never raises one', () => {
    fc.assert(
      fc.property(
        anySetting,
        anyOrder,
        fc.double({ min: 1, max: 5, noNaN: true }),
        (setting, given, factor) => {
          const caps = (changes: Setting) => {
            const { scopes, view } = questionOf({ ...setting, ...changes });
            const scope = scopes[given.side];
            return [
              userCap(scope, given.wholeNotional).maxLeverage,
              largestNotionalAt(scope, given.leverage).notional,
              fittingNotional(scope, view.equity ?? 0),
            ];
          };
          const now = caps({});
          const noLower = (higher: readonly number[], lower: readonly number[]) => {
            for (const [i, value] of lower.entries()) expect(higher[i]).toBeGreaterThanOrEqual(value);
          };
          noLower(caps({ equity: setting.equity + Math.abs(setting.equity) * (factor - 1) }), now);
          const stricter = (users: object) =>
            caps({ policy: { ...DEFAULT_POLICY, users: { ...DEFAULT_POLICY.users, ...users } } });
          noLower(now, stricter({ portfolioEquityShare: 1 / factor }));
          noLower(now, stricter({ openInterestShare: 0.1 / factor }));
          noLower(now, stricter({ dailyVolumeShare: 0.1 / factor }));
          const user = { ...setting.user, overrideMaxLeverage: 6 * factor, overrideExpiresAt: NOW + 1 };
          noLower(now, caps({ user }));
          noLower(now, caps({ user: { ...setting.user, experienceClass: 'beginner' } }));
          noLower(now, caps({ netting: null }));
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });
});

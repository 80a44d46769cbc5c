import { expect, test } from 'vitest';
import { marketActivity } from './bounds/market-activity.ts';
import { decideBook } from './decide.ts';
import { context, DECIDED_AT, largeMarket } from './test-inputs.ts';
import { DEFAULT_USER_CAP_POLICY, experienceLeverage, userCapPolicyFaults } from './user-policy.ts';

test('the policy of users has no fault, and each contradiction is named', () => {
  expect(userCapPolicyFaults(DEFAULT_USER_CAP_POLICY)).toEqual([]);
  const twice = { name: 'a', maximumLeverage: 0.5 };
  const wrong = {
    ...DEFAULT_USER_CAP_POLICY,
    experienceClasses: [twice, twice, { name: 'two words', maximumLeverage: 3 }],
    portfolioEquityShare: 0,
    correlationStressShare: 1.1,
    openInterestShare: Number.NaN,
    dailyVolumeShare: -1,
    noticeHours: Number.POSITIVE_INFINITY,
  };
  expect([...new Set(userCapPolicyFaults(wrong))]).toEqual([
    'users.experienceClasses must have different names',
    'users.experienceClasses.a must have a maximumLeverage of at least 1',
    'users.experienceClasses must have names of 1 to 40 letters, digits and _ . -',
    'users.portfolioEquityShare must be a number above 0',
    'users.openInterestShare must be a number above 0',
    'users.dailyVolumeShare must be a number above 0',
    'users.correlationStressShare must be from 0 to 1',
    'users.noticeHours must be from 0 to 8760',
  ]);
});

test('a class that is not known is the tightest', () => {
  expect(experienceLeverage('professional', DEFAULT_USER_CAP_POLICY)).toEqual({
    maximumLeverage: 125,
    isKnown: true,
  });
  expect(experienceLeverage('expert', DEFAULT_USER_CAP_POLICY)).toEqual({
    maximumLeverage: 5,
    isKnown: false,
  });
  expect(experienceLeverage('expert', { experienceClasses: [] })).toEqual({
    maximumLeverage: 1,
    isKnown: false,
  });
});

test('a published market tells what is held and traded in it, as far as it was known', () => {
  const openInterest = { quoteNotional: 3e9, observedAt: DECIDED_AT };
  const book = decideBook(
    [largeMarket({ symbol: 'AUSDT', openInterest }), largeMarket({ symbol: 'BUSDT', liquidity: null })],
    null,
    context(),
  );
  const [known, unknown] = book.markets.map(marketActivity);
  expect(known).toEqual({ openInterest: 3e9, dailyVolume: 24 * 500e6 });
  expect(unknown).toEqual({ openInterest: null, dailyVolume: null });
});

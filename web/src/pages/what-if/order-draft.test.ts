import { describe, expect, test } from 'vitest';
import { addressOf, orderDraftOf, questionOf, verdictOf } from './order-draft.ts';

const FULL =
  'user=u-1&symbol=AURUSDT&side=short&notional=25000&leverage=10&account=a-1&price=40000&reduceOnly=yes';

describe('the form of an order', () => {
  test('is what the address says, and says it again', () => {
    const draft = orderDraftOf(new URLSearchParams(FULL));
    expect(Object.fromEntries(new URLSearchParams(FULL))).toEqual(addressOf(draft));
  });

  test('becomes a check with all that was given', () => {
    expect(questionOf(orderDraftOf(new URLSearchParams(FULL)))).toEqual({
      faults: [],
      question: {
        ...{ userId: 'u-1', symbol: 'AURUSDT', side: 'short', notional: '25000', leverage: 10 },
        ...{ accountId: 'a-1', price: '40000', reduceOnly: true },
      },
    });
  });

  test('asks nothing while the notional is missing, and does not call that a fault', () => {
    expect(questionOf(orderDraftOf(new URLSearchParams('user=u-1&symbol=AURUSDT&leverage=10')))).toEqual({
      faults: [],
      question: null,
    });
  });

  test('never sends a number that could be another one', () => {
    const { question, faults } = questionOf(
      orderDraftOf(new URLSearchParams('user=u-1&symbol=AURUSDT&leverage=10&notional=1.000,5')),
    );
    expect(question).toBeNull();
    expect(faults[0]).toContain('1.000,5');
  });

  test('a typed number loses its commas in the address', () => {
    const draft = { ...orderDraftOf(new URLSearchParams(FULL)), notional: '1,250,000' };
    expect(addressOf(draft).notional).toBe('1250000');
  });
});

describe('the verdict', () => {
  test.each([
    [true, 10, '25000', 'allowed'],
    [false, 5, '0', 'clamped'],
    [false, 0, '8000', 'clamped'],
    [false, 0, '0', 'refused'],
  ] as const)(
    'allowed %s, clamped to %s and %s: %s',
    (allowed, clampedLeverage, clampedNotional, verdict) => {
      expect(verdictOf({ allowed, clampedLeverage, clampedNotional })).toBe(verdict);
    },
  );
});

import { describe, expect, test } from 'vitest';
import type { Margin } from '../../answers.ts';
import { accountDraftOf, draftOfMargin, NO_ACCOUNT, shortText, simulateQuestionOf } from './account-draft.ts';

const STREAMED =
  '{"accountId":"a1","userId":"u1","marginMode":"isolated","equity":"1000.5","sequence":7,"positions":[{"symbol":"BTCUSDT","side":"net","quantity":"-0.5","entryPrice":"29000","isolatedMargin":"40"}]}';

describe('the form of an account', () => {
  test('takes an account as it is streamed; the sign of a net position is its side', () => {
    expect(accountDraftOf(STREAMED)).toEqual({
      ...{ user: 'u1', marginMode: 'isolated', equity: '1000.5', prices: {} },
      positions: [
        { symbol: 'BTCUSDT', side: 'short', quantity: '0.5', entryPrice: '29000', isolatedMargin: '40' },
      ],
    });
  });

  test('comes back from the address as it went in', () => {
    const draft = { ...accountDraftOf(STREAMED), prices: { BTCUSDT: '30000' } };
    expect(accountDraftOf(shortText(draft) ?? '')).toEqual(draft);
  });

  test('is left out of an address that would be too long', () => {
    const { positions } = accountDraftOf(STREAMED);
    expect(shortText({ ...NO_ACCOUNT, positions: Array(40).fill(positions[0]) })).toBeNull();
  });

  test.each([
    ['{', 'not JSON'],
    ['[]', 'not an object'],
    ['{"equity":"1"}', 'positions'],
    ['{"positions":[7]}', 'position 1'],
  ])('%s is refused in words', (text, words) => {
    expect(() => accountDraftOf(text)).toThrow(words);
  });

  test('an entry price that is left out is the mark; without a mark it is missing', () => {
    const draft = accountDraftOf('{"equity":"10","positions":[{"symbol":"A","side":"long","quantity":"2"}]}');
    const { question } = simulateQuestionOf(draft, { A: '7.5' });
    expect(question?.account.positions[0].entryPrice).toBe('7.5');
    expect(simulateQuestionOf(draft, {}).faults).toEqual(['Position 1: the entry price is missing.']);
  });

  test('prices of markets that are not held any more are not sent', () => {
    const draft = { ...accountDraftOf(STREAMED), prices: { BTCUSDT: '30,000', ETHUSDT: '2000' } };
    expect(simulateQuestionOf(draft, {}).question?.prices).toEqual({ BTCUSDT: '30000' });
  });
});

describe('an account that is known', () => {
  const position = { symbol: 'A', side: 'long', quantity: '1', entryPrice: '100' };
  const margin = {
    ...{ userId: 'u1', marginMode: 'cross', equity: '120.000000000000000001' },
    positions: [
      { ...position, unrealisedProfit: '-5.5', isolatedMargin: null },
      { ...position, symbol: 'B', unrealisedProfit: '2', isolatedMargin: '40' },
    ],
  } as unknown as Margin;

  test('has as collateral what is neither won nor isolated, to the last digit', () => {
    expect(draftOfMargin(margin)?.equity).toBe('83.500000000000000001');
  });

  test('is not made up where its equity is not known', () => {
    expect(draftOfMargin({ ...margin, equity: null })).toBeNull();
  });
});

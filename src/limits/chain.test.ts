import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalBook,
  canonicalJson,
  canonicalMarkets,
  chainHashOfText,
  keepCanonicalMarkets,
} from './chain.ts';
import { decideBook } from './decide.ts';
import { context, largeMarket } from './test-inputs.ts';

/** As RFC 8785 says it, with nothing but sorting and joining. */
function slowly(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(slowly).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${slowly(item)}`).join(',')}}`;
}

describe('canonical JSON', () => {
  test('is that of sorting every object, for any JSON, in any order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(text).toBe(slowly(value));
        // What was read from canonical JSON has its keys in order already.
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
      { seed: 20261128, numRuns: 500 },
    );
  });

  test('puts keys that look like numbers in the order of text, where objects have them in that of numbers', () => {
    expect(canonicalJson({ 2: 'b', 10: 'a', x: [{ b: 1, a: -0 }] })).toBe(
      '{"10":"a","2":"b","x":[{"a":0,"b":1}]}',
    );
  });

  test('refuses what JSON would leave out or write as null, wherever it is', () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1, 1n, Symbol('s')])
      for (const holder of [value, [1, value], { a: 1, b: value }, { b: 1, a: [{ c: value }] }])
        expect(() => canonicalJson(holder)).toThrow(TypeError);
  });
});

describe('texts of markets that went to another thread with them', () => {
  const inputs = [largeMarket({ symbol: 'AUSDT' }), largeMarket({ symbol: 'BUSDT' })];
  const { hash, ...content } = decideBook(inputs, null, context());
  const texts = structuredClone(canonicalMarkets(content.markets));

  test('are those that would be made there', () => {
    expect(texts).toEqual(content.markets.map(slowly));
    const copy = structuredClone(content);
    keepCanonicalMarkets(copy.markets, texts);
    expect(canonicalMarkets(copy.markets)).toEqual(texts);
    expect(canonicalBook(copy)).toBe(slowly(content));
  });

  test('of other markets leave a book whose hash does not hold', () => {
    const copy = structuredClone(content);
    keepCanonicalMarkets(copy.markets, texts.toReversed());
    expect(chainHashOfText(content.previousHash, canonicalBook(content))).toBe(hash);
    expect(chainHashOfText(content.previousHash, canonicalBook(copy))).not.toBe(hash);
  });

  test('may be missing: those are made', () => {
    const copy = structuredClone(content);
    keepCanonicalMarkets(copy.markets, texts.slice(0, 1));
    expect(canonicalBook(copy)).toBe(slowly(content));
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalBookBytes, canonicalMarkets, keepCanonicalMarkets } from './canonical-bytes.ts';
import { canonicalJson, chainHashOfText } from './chain.ts';
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

describe('bytes of markets that went to another thread with them', () => {
  const inputs = [largeMarket({ symbol: 'AUSDT' }), largeMarket({ symbol: 'BUSDT' })];
  const { hash, ...content } = decideBook(inputs, null, context());
  const bytes = structuredClone(canonicalMarkets(content.markets));

  test('are those that would be made there', () => {
    expect(textOf(bytes.bytes)).toEqual(content.markets.map(slowly).join(''));
    const copy = structuredClone(content);
    keepCanonicalMarkets(copy.markets, bytes);
    expect(textOf(canonicalMarkets(copy.markets).bytes)).toEqual(textOf(bytes.bytes));
    expect(canonicalMarkets(copy.markets).ends).toEqual(bytes.ends);
    expect(textOf(canonicalBookBytes(copy))).toBe(slowly(content));
  });

  test('of other markets leave a book whose hash does not hold', () => {
    const copy = structuredClone(content);
    keepCanonicalMarkets(copy.markets.toReversed(), bytes);
    expect(chainHashOfText(content.previousHash, canonicalBookBytes(content))).toBe(hash);
    expect(chainHashOfText(content.previousHash, canonicalBookBytes(copy))).not.toBe(hash);
  });

  test('may be missing: those are made', () => {
    const copy = structuredClone(content);
    keepCanonicalMarkets(copy.markets, { ...bytes, ends: bytes.ends.slice(0, 1) });
    expect(textOf(canonicalBookBytes(copy))).toBe(slowly(content));
  });

  test('are those of the whole book, whatever letters it has and however it grows', () => {
    const long = { ...content.markets[0], symbol: '漢字😀é'.repeat(40_000) };
    for (const markets of [[], [long], [long, ...content.markets, { ...long, symbol: '' }]]) {
      const book = { ...content, markets };
      expect(textOf(canonicalBookBytes(book))).toBe(slowly(book));
      // From what is known of each market.
      expect(textOf(canonicalBookBytes(book))).toBe(slowly(book));
    }
  });
});

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

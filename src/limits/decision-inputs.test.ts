import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeInputs, type EncodedInputs, encodeInputs, gatherInputs } from './decision-inputs.ts';
import type { MarketInput } from './market-input.ts';
import { context, DECIDED_AT, EXAMPLE_POLICY, forecast, largeMarket } from './test-inputs.ts';

const { inputsHash: _, ...CONTEXT } = context();
const PROGRAM = '1.2.3';
const market = (symbol: string, hourlyTail: number, changes: Partial<MarketInput> = {}): MarketInput =>
  largeMarket({ symbol, shockModel: forecast('network@1', hourlyTail), ...changes });

function partsOf({ index }: EncodedInputs): Record<string, string> {
  return JSON.parse(index).parts;
}

describe('the inputs of a decision', () => {
  test('come back as they were, whatever numbers they hold, and through a store of parts', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 8 }), fc.double(), (tails, days) => {
        const markets = tails.map((tail, i) =>
          market(`M${i}USDT`, tail, {
            historyDays: days,
            liquidity: i % 2 === 0 ? null : { hourlyVolume: tail, dailyVolatility: days },
          }),
        );
        const inputs = { markets, context: { ...CONTEXT, marketWide: null }, program: PROGRAM };
        const encoded = encodeInputs(inputs);
        const kept = new Map(encoded.parts.map(({ hash, bytes }) => [hash, bytes]));
        const gathered = gatherInputs(encoded.index, (hash) => kept.get(hash) ?? new Uint8Array());
        expect(gathered.hash).toBe(encoded.hash);
        expect(decodeInputs(gathered)).toStrictEqual(inputs);
      }),
      { seed: 20240604, numRuns: 100 },
    );
  });

  test('share the parts that did not change', () => {
    const markets = [market('AURUSDT', 0.02), market('BOREUSDT', 0.03)];
    const first = encodeInputs({ markets, context: CONTEXT, program: PROGRAM });
    const later = { ...CONTEXT, decidedAt: DECIDED_AT + 1 };
    const second = encodeInputs({ markets, context: later, program: PROGRAM });
    expect(second.hash).not.toBe(first.hash);
    const [a, b] = [partsOf(first), partsOf(second)];
    expect(Object.keys(a).filter((name) => a[name] !== b[name])).toEqual(['context']);
    const other = encodeInputs({
      markets,
      context: { ...CONTEXT, policy: { ...EXAMPLE_POLICY, maximumLeverage: 50 } },
      program: PROGRAM,
    });
    const c = partsOf(other);
    expect(Object.keys(a).filter((name) => a[name] !== c[name])).toEqual(['policy']);
  });

  test('have another hash when a single bit of a forecast is another', () => {
    const markets = [market('AURUSDT', 0.02)];
    const before = encodeInputs({ markets, context: CONTEXT, program: PROGRAM });
    new Uint8Array(markets[0].tail.valueAtRisk.buffer)[3] ^= 1;
    const after = encodeInputs({ markets, context: CONTEXT, program: PROGRAM });
    expect(partsOf(after).tail).not.toBe(partsOf(before).tail);
    expect(after.hash).not.toBe(before.hash);
  });

  test('a part that was changed or is missing is told, and so is a form of another version', () => {
    const encoded = encodeInputs({ markets: [market('AURUSDT', 0.02)], context: CONTEXT, program: PROGRAM });
    const [part, ...rest] = encoded.parts;
    const changed = part.bytes.slice();
    changed[20] ^= 1;
    for (const parts of [rest, [{ ...part, bytes: changed }, ...rest]])
      expect(() => decodeInputs({ ...encoded, parts })).toThrow(
        expect.objectContaining({ code: 'CHAIN_BROKEN' }),
      );
    expect(() => decodeInputs({ ...encoded, index: '{"format":99,"parts":{}}' })).toThrow(
      expect.objectContaining({ code: 'STORE_DAMAGED' }),
    );
  });
});

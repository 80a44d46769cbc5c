import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDecimal,
  formatMicros,
  formatMoneyDown,
  formatMoneyUp,
  formatPrice,
  formatQuantityUp,
  formatWhole,
  ladderDown,
  leverageToMarginPpmUp,
  microsToWholeUp,
  parseMicros,
  parseWholeUp,
  ppmToRate,
  rateToPpmUp,
  withoutNoise,
} from './units.ts';

const SEEDED = { seed: 1, numRuns: 1000 };

describe('rates', () => {
  it('round up, so that no margin rate is granted below the computed one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), (rate) => {
        const ppm = rateToPpmUp(rate);
        expect(Number.isSafeInteger(ppm)).toBe(true);
        // A millionth of a ppm is the noise that is not rounded up.
        expect(ppm).toBeGreaterThanOrEqual(rate * 1e6 * (1 - 1e-15) - 1e-6);
        expect(ppm).toBeLessThan(rate * 1e6 + 1);
      }),
      SEEDED,
    );
  });

  it('come back unchanged from whole ppm', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (ppm) => {
        expect(rateToPpmUp(ppmToRate(ppm))).toBe(ppm);
      }),
      SEEDED,
    );
  });

  it('of a leverage ask for at least 1 / leverage', () => {
    expect(leverageToMarginPpmUp(20)).toBe(50_000);
    expect(leverageToMarginPpmUp(3)).toBe(333_334);
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1000, noNaN: true }), (leverage) => {
        expect(leverageToMarginPpmUp(leverage) * leverage).toBeGreaterThanOrEqual(1e6 * (1 - 1e-15));
      }),
      SEEDED,
    );
  });

  it('go down the ladder to a rung that is not above the leverage', () => {
    const ladder = [20, 10, 5, 1];
    expect(ladderDown(19.99, ladder)).toBe(10);
    expect(ladderDown(20, ladder)).toBe(20);
    expect(ladderDown(0.3, ladder)).toBe(1);
  });
});

describe('decimal strings', () => {
  it('are exact both ways, for numbers far beyond float64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 23n), max: 10n ** 23n }), (micros) => {
        expect(parseMicros(formatMicros(micros))).toBe(micros);
      }),
      SEEDED,
    );
  });

  it('have neither trailing zeros nor exponents', () => {
    expect(formatMicros(0)).toBe('0');
    expect(formatMicros(1_500_000)).toBe('1.5');
    expect(formatMicros(-1n)).toBe('-0.000001');
    expect(formatMicros(30_386_980_000_000)).toBe('30386980');
    expect(formatDecimal(8_976_343_000_000n, 18)).toBe('0.000008976343');
    expect(formatWhole(8_000_000_000)).toBe('8000000000');
  });

  it('are read strictly: what is not a plain decimal is refused', () => {
    for (const text of [
      '',
      ' 1',
      '1 ',
      '+1',
      '1.',
      '.5',
      '1e6',
      'NaN',
      'Infinity',
      '0x10',
      '1,000',
      '١',
      '--1',
      '1.2.3',
      '9'.repeat(19),
    ]) {
      expect(parseMicros(text), text).toBeNull();
    }
  });

  it('with more than six digits after the point are rounded away from zero', () => {
    expect(parseMicros('0.0000001')).toBe(1n);
    expect(parseMicros('-0.0000001')).toBe(-1n);
    expect(parseMicros('1.0000000')).toBe(1_000_000n);
  });

  it('become whole units that are never too small, up to where numbers are exact', () => {
    expect(microsToWholeUp(50_000_000_001n)).toBe(50_001);
    expect(microsToWholeUp(50_000_000_000n)).toBe(50_000);
    expect(microsToWholeUp(0n)).toBe(0);
    expect(microsToWholeUp(10n ** 30n)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('what is quick for short numbers', () => {
  it('whole units of a decimal string are those of its millionths', () => {
    const digits = fc.stringMatching(/^\d{1,19}$/);
    const text = fc.oneof(
      digits,
      fc.tuple(digits, digits).map((parts) => parts.join('.')),
      fc
        .tuple(digits, fc.constantFrom('0', '000000', '0000001', '0000000001'))
        .map((parts) => parts.join('.')),
      fc.constantFrom('', '.5', '1.', '-0', '1e3', '999999999999999.1', '9007199254740991.5'),
    );
    fc.assert(
      fc.property(text, (one) => {
        const micros = parseMicros(one);
        expect(parseWholeUp(one)).toBe(micros === null ? null : microsToWholeUp(micros));
      }),
      SEEDED,
    );
  });

  it('money in float64 is written as the integer of its last decimal is', () => {
    const value = fc.oneof(
      fc.double({ min: -1e15, max: 1e15, noNaN: true }),
      fc.integer(),
      fc.constantFrom(0, -0),
    );
    fc.assert(
      fc.property(value, (one) => {
        const text = formatMoneyUp(one);
        const [whole, fraction = ''] = text.split('.');
        const scaled = BigInt(`${whole.replace('-', '')}${fraction}`) * (text.startsWith('-') ? -1n : 1n);
        expect(text).toBe(formatDecimal(scaled, fraction.length));
        expect(Math.abs(Number(text) - one)).toBeLessThanOrEqual(Math.abs(one) * 1e-12 + 1e-8);
      }),
      SEEDED,
    );
  });
});

describe('what leaves float64', () => {
  it('is free of binary noise', () => {
    expect(formatMoneyUp(0.1 + 0.2)).toBe('0.3');
    expect(formatMoneyDown(0.1 + 0.2)).toBe('0.3');
    expect(formatMoneyDown(1.1 * 3)).toBe('3.3');
    expect(formatPrice(0.1 + 0.7)).toBe('0.8');
    expect(withoutNoise(0.1 + 0.2)).toBe(0.3);
    // What Binance's example adds up to: 1030895.5563800007 in float64.
    const equity = 1_535_443.01 + 3683.979 * (1335.18 - 1456.84) + 109.488 * (31_967.27 - 32_481.98);
    expect([formatMoneyDown(equity), formatMoneyUp(equity)]).toEqual(['1030895.55638', '1030895.55638']);
  });

  it('is rounded so that nothing looks better than it is', () => {
    expect(formatMoneyDown(1 / 3)).toBe('0.33333333');
    expect(formatMoneyUp(1 / 3)).toBe('0.33333334');
    expect(formatMoneyDown(-1 / 3)).toBe('-0.33333334');
    expect(formatMoneyUp(1e-12)).toBe('0.00000001');
    expect(formatMoneyDown(1e-12)).toBe('0');
    expect(formatQuantityUp(1 / 3)).toBe('0.3333333333334');
    expect(formatMoneyUp(1e20)).toBe('100000000000000000000');
    expect([formatMoneyUp(0), formatMoneyDown(-0)]).toEqual(['0', '0']);
  });

  it('keeps all digits of small prices', () => {
    expect(formatPrice(0.0000012345678912)).toBe('0.0000012345678912');
    expect(formatPrice(26_316.893_912_345)).toBe('26316.89391235');
    expect(() => formatPrice(Number.NaN)).toThrow('no decimal');
  });

  it('keeps every decimal of at most 12 digits as it is, whichever way it is rounded', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.integer({ min: 0, max: 8 }),
        (whole, decimals) => {
          const text = formatDecimal(BigInt(whole), decimals);
          for (const format of [formatMoneyDown, formatMoneyUp, formatPrice, formatQuantityUp])
            expect(format(Number(text))).toBe(text);
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });
});

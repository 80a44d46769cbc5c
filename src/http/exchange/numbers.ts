import { formatDecimal, formatMicros } from '../../units.ts';

/** A rate as the exact decimal string that exchanges give: 6500 is "0.0065". */
export function rateText(ppm: number): string {
  return formatMicros(ppm);
}

/**
 * Millionths, or parts per million, as a JSON number with digits behind the point, as Binance writes its fractions: 0.0065,
 * and 50.0 where JSON.stringify would write 50.
 */
export function fraction(millionths: number): number {
  const text = formatMicros(millionths);
  // JSON.stringify writes such an object as the number that it stands for.
  return rawJson(text.includes('.') ? text : `${text}.0`) as number;
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };

/** A leverage as OKX and Bybit write it: of at most two decimals, rounded down. */
export function leverageText(leverage: number): string {
  return formatDecimal(BigInt(Math.floor(leverage * 100 + LEVERAGE_NOISE)), 2);
}

/** 1.1 · 100 is a little above 110, and 1.15 · 100 a little below 115. */
const LEVERAGE_NOISE = 1e-6;

/** A leverage as Bybit writes the highest of a tier: always of two decimals. */
export function leverageTextOfTwoDecimals(leverage: number): string {
  const [whole, decimals = ''] = leverageText(leverage).split('.');
  return `${whole}.${decimals.padEnd(2, '0')}`;
}

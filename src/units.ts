/**
 * The one place where binary floating point becomes exact and back. Each crossing names its rounding: margin rates
 * go up, leverage and notional caps go down, so that rounding never grants more than was computed.
 */
export const PPM = 1_000_000;
export const MICROS = 1_000_000;
export const HOUR_MILLISECONDS = 3_600_000;
export const DAY_MILLISECONDS = 86_400_000;

/** Noise of a few units in the last place must not raise a rate that is whole in ppm by another one. */
const PPM_NOISE = 1e-6;

/** A rate (at least 0) in parts per million, rounded up. */
export function rateToPpmUp(rate: number): number {
  return Math.ceil(Math.max(rate * PPM - PPM_NOISE, 0));
}

export function ppmToRate(ppm: number): number {
  return ppm / PPM;
}

/** The initial margin rate that a leverage asks for, 1 / leverage in parts per million, rounded up. */
export function leverageToMarginPpmUp(leverage: number): number {
  return Math.ceil(PPM / leverage);
}

/** The highest leverage of a ladder (falling) that is not above the given one; the last rung where none is. */
export function ladderDown(leverage: number, ladder: readonly number[]): number {
  for (const rung of ladder) if (rung <= leverage) return rung;
  return ladder[ladder.length - 1];
}

/** Millionths as an exact decimal string without trailing zeros: 1500000 is "1.5". */
export function formatMicros(micros: number | bigint): string {
  return formatDecimal(BigInt(micros), 6);
}

/** A whole number of 10⁻ᵈᵉᶜⁱᵐᵃˡˢ as an exact decimal string without trailing zeros. */
export function formatDecimal(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : '';
  const magnitude = value < 0n ? -value : value;
  const one = 10n ** BigInt(decimals);
  const whole = magnitude / one;
  const fraction = (magnitude % one).toString().padStart(decimals, '0').replace(/0+$/, '');
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** The same of an integer in float64. Safe ones are exact as they are, and take a third of the time. */
function formatScaled(value: number, decimals: number): string {
  if (!Number.isSafeInteger(value)) return formatDecimal(BigInt(value), decimals);
  if (decimals === 0) return String(value);
  const digits = String(Math.abs(value)).padStart(decimals + 1, '0');
  let end = digits.length;
  const point = end - decimals;
  while (end > point && digits.charCodeAt(end - 1) === ZERO) end--;
  const whole = `${value < 0 ? '-' : ''}${digits.slice(0, point)}`;
  return end === point ? whole : `${whole}.${digits.slice(point, end)}`;
}

const ZERO = '0'.charCodeAt(0);

/** Whole units as a decimal string. */
export function formatWhole(units: number): string {
  return Number.isSafeInteger(units) ? String(units) : BigInt(units).toString();
}

const DECIMAL = /^(-?)(\d{1,18})(?:\.(\d{1,18}))?$/;

/**
 * A decimal string as millionths; digits beyond the sixth are rounded away from zero, so that a notional never counts
 * as smaller than it is.
 *
 * @returns null for anything but plain decimals of at most 18 digits on either side of the point.
 */
export function parseMicros(text: string): bigint | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = ''] = match;
  const kept = BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  const carry = /[1-9]/.test(fraction.slice(6)) ? 1n : 0n;
  const magnitude = BigInt(whole) * BigInt(MICROS) + kept + carry;
  return sign === '-' ? -magnitude : magnitude;
}

const ATTO_DIGITS = 18;

/** A decimal string in units of 10⁻¹⁸, exactly; null as with `parseMicros`. */
export function parseAttos(text: string): bigint | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(ATTO_DIGITS, '0'));
  return sign === '-' ? -magnitude : magnitude;
}

const ATTOS_IN_MICRO = 10n ** 12n;
const ATTO_PRODUCTS_IN_MICRO = 10n ** 30n;

/** Rounded down, for what is owned. */
export function attosToMicrosDown(attos: bigint): bigint {
  return floorDivided(attos, ATTOS_IN_MICRO);
}

/** The product of a quantity and a price, both in units of 10⁻¹⁸, as millionths rounded down. */
export function productMicrosDown(quantity: bigint, price: bigint): bigint {
  return floorDivided(quantity * price, ATTO_PRODUCTS_IN_MICRO);
}

/** The same rounded up. */
export function productMicrosUp(quantity: bigint, price: bigint): bigint {
  return -floorDivided(-quantity * price, ATTO_PRODUCTS_IN_MICRO);
}

/** @param divisor above 0. */
function floorDivided(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

/**
 * Millionths in whole units, rounded up: a notional is compared with whole bracket edges, and n ≤ edge exactly when its
 * whole units are. What is beyond the safe integers is the largest of them.
 *
 * @param micros at least 0.
 */
export function microsToWholeUp(micros: bigint): number {
  const whole = (micros + BigInt(MICROS) - 1n) / BigInt(MICROS);
  return whole > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(whole);
}

const SHORT_DECIMAL = /^(\d{1,15})(?:\.(\d{1,18}))?$/;

/** A decimal string of at least 0 in whole units, rounded up as `microsToWholeUp`; null as with `parseMicros`. */
export function parseWholeUp(text: string): number | null {
  const short = SHORT_DECIMAL.exec(text);
  // Short ones are exact in float64, and anything behind the point is a part of another unit.
  if (short !== null) return Number(short[1]) + (short[2] !== undefined && /[1-9]/.test(short[2]) ? 1 : 0);
  const micros = parseMicros(text);
  return micros === null ? null : microsToWholeUp(micros);
}

/** So many digits of a float64 result tell; those behind them are what is left of binary fractions and of adding them up. */
const TELLING_DIGITS = 13;
/** What is this near to a whole number of the last decimal is that number: a result of sums and products is no nearer to itself. */
const DECIMAL_NOISE = 2 ** -48;
const MONEY_DECIMALS = 8;
/** Beyond them a power of ten is not exact in float64. */
const MOST_DECIMALS = 22;

type Rounding = 'down' | 'up' | 'nearest';

/** Where what was computed in float64 leaves as a decimal string: digits that tell nothing are dropped, the rest is exact. */
function decimalOf(value: number, mostDecimals: number, rounding: Rounding): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no decimal`);
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.max(Math.min(TELLING_DIGITS - 1 - magnitude, mostDecimals), 0);
  const scaled = value * 10 ** decimals;
  const nearest = Math.round(scaled);
  const isWhole = rounding === 'nearest' || Math.abs(scaled - nearest) <= Math.abs(scaled) * DECIMAL_NOISE;
  const whole = isWhole ? nearest : rounding === 'up' ? Math.ceil(scaled) : Math.floor(scaled);
  return formatScaled(whole, decimals);
}

/** Money that is owned or free to use, to at most 8 decimals and 13 digits, rounded down: it never looks like more. */
export function formatMoneyDown(value: number): string {
  return decimalOf(value, MONEY_DECIMALS, 'down');
}

/** Money that is asked for, and notionals, likewise, rounded up: they never look like less. */
export function formatMoneyUp(value: number): string {
  return decimalOf(value, MONEY_DECIMALS, 'up');
}

/** A price to the nearest of 13 digits, of which those of small prices are all behind the point. */
export function formatPrice(value: number): string {
  return decimalOf(value, MOST_DECIMALS, 'nearest');
}

/** A quantity that has to be closed, to 13 digits, rounded up: closing it is enough. */
export function formatQuantityUp(value: number): string {
  return decimalOf(value, MOST_DECIMALS, 'up');
}

/** A ratio, leverage or probability as a number of at most 12 digits: 0.1 + 0.2 is 0.3. */
export function withoutNoise(value: number): number {
  return Number(value.toPrecision(TELLING_DIGITS - 1));
}

/**
 * The one place where binary floating point becomes exact and back. Each crossing names its rounding: margin rates
 * go up, leverage and notional caps go down, so that rounding never grants more than was computed.
 */
export const PPM = 1_000_000;
export const MICROS = 1_000_000;

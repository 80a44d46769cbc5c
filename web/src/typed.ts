/**
 * What people type as a number, as the decimal string that the service takes: `25000`, `25,000.50`, `25 000`. What could mean
 * two numbers is none: `1.000,5` must not be read as 1.0005.
 *
 * @returns null for anything else.
 */
export function typedDecimal(text: string): string | null {
  const plain = text.trim().replace(/^−/, '-');
  if (/^-?\d{1,15}(\.\d{1,18})?$/.test(plain)) return plain;
  if (/^-?\d{1,3}([,_ \u00a0\u202f]\d{3})+(\.\d{1,18})?$/.test(plain))
    return plain.replace(/[,_ \u00a0\u202f]/g, '');
  return null;
}

/** A share that is typed in percent; null for what is no number. */
export function typedPercent(text: string): number | null {
  const decimal = typedDecimal(text.replace('%', ''));
  return decimal === null ? null : Number(decimal) / 100;
}

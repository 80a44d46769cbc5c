// How numbers and times are written. All times are UTC: so are limits, audits and other desks.

const NOTHING = '–';

export function leverageText(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  return `${Number.isInteger(value) ? value : value.toFixed(2)}x`;
}

/** @param share 0.0123 for 1.23 %. */
export function percentText(share: number | null | undefined, digits = 2): string {
  if (share === null || share === undefined) return NOTHING;
  return `${(100 * share).toFixed(digits)} %`;
}

export function signedPercentText(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined) return NOTHING;
  const text = percentText(Math.abs(share), digits);
  if (text === percentText(0, digits)) return text;
  return `${share > 0 ? '+' : '−'}${text}`;
}

export function ppmText(ppm: number): string {
  return `${(ppm / 10_000).toFixed(ppm % 100 === 0 ? 2 : 4)} %`;
}

/** Of maintenance margin to equity: the service says a million where no equity is left. */
export function marginRatioText(ratio: number | null): string {
  return ratio !== null && ratio >= 1_000_000 ? 'no equity' : percentText(ratio, 1);
}

/** Money and quantities arrive as decimal strings, which may be longer than a number can hold: only their look changes. */
export function moneyText(decimal: string | null | undefined, mostDecimals = 2): string {
  if (decimal === null || decimal === undefined) return NOTHING;
  const [whole, fraction = ''] = decimal.replace('-', '').split('.', 2);
  const shown = fraction.slice(0, mostDecimals).replace(/0+$/, '');
  const sign = decimal.startsWith('-') ? '−' : '';
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${shown === '' ? '' : `.${shown}`}`;
}

/** A price as a decimal string: as many decimals as are of use at its size. */
export function decimalPriceText(decimal: string | null | undefined): string {
  if (decimal === null || decimal === undefined) return NOTHING;
  const digits = decimal.replace('-', '').split('.', 1)[0].replace(/^0+/, '').length;
  return moneyText(decimal, digits >= 4 ? 2 : digits >= 1 ? 4 : 8);
}

const SUFFIXES = ['', 'k', 'M', 'bn', 'tn'];

/** For axes and columns: 1.2M. */
export function shortMoneyText(decimal: string | number | null | undefined): string {
  if (decimal === null || decimal === undefined) return NOTHING;
  let value = Math.abs(Number(decimal));
  let step = 0;
  while (value >= 999.5 && step < SUFFIXES.length - 1) {
    value /= 1000;
    step++;
  }
  const digits = step === 0 || value >= 100 ? 0 : 1;
  return `${Number(decimal) < 0 ? '−' : ''}${value.toFixed(digits).replace(/\.0$/, '')}${SUFFIXES[step]}`;
}

export function priceText(price: number | null | undefined): string {
  if (price === null || price === undefined) return NOTHING;
  const digits = price >= 1000 ? 1 : price >= 1 ? 3 : 6;
  return price.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `2024-12-31 23:00` UTC; with seconds where they matter. */
export function timeText(time: string | number | null | undefined, withSeconds = false): string {
  if (time === null || time === undefined) return NOTHING;
  return new Date(time)
    .toISOString()
    .replace('T', ' ')
    .slice(0, withSeconds ? 19 : 16);
}

/** How long ago or until: `3 min`, `2.5 h`, `4 d`. */
export function spanText(milliseconds: number): string {
  const seconds = Math.abs(milliseconds) / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${(seconds / 3600).toFixed(1).replace(/\.0$/, '')} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `marginCallShortfall` → `margin call shortfall`. */
export function wordsOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[-_]/g, ' ')
    .toLowerCase();
}

export function reasonText(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

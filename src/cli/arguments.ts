import { InvalidArgumentError } from 'commander';

/** A day or a time in ISO 8601, as epoch milliseconds; a day counts from its beginning in UTC. */
export function parseDate(text: string): number {
  const isIso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const time = isIso ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError('Give a day such as 2024-06-30, or a time such as 2024-06-30T12:00:00Z.');
  return time;
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000)
    throw new InvalidArgumentError('Give a whole number from 1 to 100000.');
  return value;
}

/** A number above 0 and at most 1, such as a share of a year's notional. */
export function parseShare(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('Give a number above 0 and at most 1.');
  return value;
}

export function parseRatio(text: string): number {
  const value = Number(text);
  if (!(value > 1 && value <= 1000)) throw new InvalidArgumentError('Give a number above 1, such as 1.5.');
  return value;
}

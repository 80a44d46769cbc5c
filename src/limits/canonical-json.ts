// Apart from the hashes, because whoever verifies a chain elsewhere, as the web console does, must write the very same bytes.

/**
 * JSON with the keys of every object in code-unit order and no white space, so that equal values have equal bytes.
 * Follows RFC 8785 for the values that Plimsoll stores: strings, finite numbers, booleans, null, arrays, plain objects.
 *
 * @throws TypeError for a value that has no canonical form (NaN, infinity, undefined, function, bigint).
 */
export function canonicalJson(value: unknown): string {
  // As JSON.stringify writes it, −0 included, and quicker.
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  if (isCanonical(value)) return JSON.stringify(value);
  if (typeof value !== 'object' || value === null)
    throw new TypeError(
      `${typeof value === 'number' ? value : `a ${typeof value}`} has no canonical JSON form`,
    );
  // Texts are put together without copying: only the whole is made into one piece, when somebody reads it.
  let text = '';
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(value[i]);
    return `[${text}]`;
  }
  for (const { key, prefix } of sortedKeys(value))
    text += prefix + canonicalJson((value as Record<string, unknown>)[key]);
  return `{${text}}`;
}

/**
 * Whether `JSON.stringify` writes the canonical form: its keys have that order already, and it has nothing to leave out.
 * Asked of every value of a book, so it calls itself for objects alone.
 */
function isCanonical(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isCanonicalScalar(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'object' ? item !== null && !isCanonical(item) : !isCanonicalScalar(item))
        return false;
    }
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  let before = '';
  let first = 0;
  for (const key in value) {
    // Mostly the first letters differ, and numbers are compared in a fraction of the time. An empty key has NaN.
    const letter = key.charCodeAt(0);
    if (!(letter > first) && key < before) return false;
    before = key;
    first = letter;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'object' ? item !== null && !isCanonical(item) : !isCanonicalScalar(item))
      return false;
  }
  return true;
}

function isCanonicalScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** A key of an object in its place, and what goes before its value. */
export interface SortedKey {
  readonly key: string;
  readonly prefix: string;
}

interface Shape {
  /** As objects have them. */
  readonly keys: readonly string[];
  readonly sorted: readonly SortedKey[];
}

/** The books of all markets are made of a few dozen shapes of objects: their keys are sorted once. By the first key. */
const shapes = new Map<string, Shape[]>();
let shapeCount = 0;
const MOST_SHAPES = 512;

/** The keys of an object in the order of canonical JSON. */
export function sortedKeys(value: object): readonly SortedKey[] {
  const keys = Object.keys(value);
  if (keys.length === 0) return [];
  const alike = shapes.get(keys[0]);
  if (alike !== undefined) for (const shape of alike) if (areSame(keys, shape.keys)) return shape.sorted;
  const sorted = keys
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((key, i) => ({ key, prefix: `${i === 0 ? '' : ','}${JSON.stringify(key)}:` }));
  if (shapeCount < MOST_SHAPES) {
    shapeCount++;
    if (alike === undefined) shapes.set(keys[0], [{ keys, sorted }]);
    else alike.push({ keys, sorted });
  }
  return sorted;
}

function areSame(keys: readonly string[], others: readonly string[]): boolean {
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== others[i]) return false;
  return true;
}

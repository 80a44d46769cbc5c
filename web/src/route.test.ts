import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkTo, placeOf } from './route.ts';

test('a link leads to the place that it was made for, whatever is in it', () => {
  const part = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 3 }), fc.dictionary(part, fc.string()), (path, query) => {
      const place = placeOf(linkTo(path, query));
      expect(place.path).toEqual(path);
      expect(Object.fromEntries(place.query)).toEqual(query);
    }),
    { seed: 3 },
  );
});

test('an address that was typed by hand never fails', () => {
  for (const hash of ['', '#', '#/', '#/%E0%A4%A', '#?x', '#/a//b?c=%'])
    expect(() => placeOf(hash)).not.toThrow();
  expect(placeOf('#/%E0%A4%A').path).toEqual(['%E0%A4%A']);
});

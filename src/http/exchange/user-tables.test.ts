import { expect, test } from 'vitest';
import { bookWith } from './book.fixture.ts';
import { UserTables } from './user-tables.ts';
import { venueRead } from './venue-read.ts';

const book = bookWith({ BTCUSDT: [[0, 1_000, 10, 50_000, 0]] });

/** Counts how often a table is made. */
function counted() {
  let made = 0;
  const make = () => venueRead({ json: ++made, total: 1, leftOut: 0 }, book, false, 'one user');
  return { make, made: () => made };
}

test('a table is made once for all users of a coefficient, and anew for another one, another book and when validity ends', () => {
  const [tables, { make, made }] = [new UserTables(), counted()];
  const first = tables.get(book, 500_000, false, make);
  expect(tables.get(book, 500_000, false, make)).toBe(first);
  expect(made()).toBe(1);
  tables.get(book, 250_000, false, make);
  tables.get(book, 500_000, true, make);
  tables.get({ ...book }, 500_000, false, make);
  expect(made()).toBe(4);
});

test('however many coefficients there are, a bounded number of tables is kept', () => {
  const [tables, { make, made }] = [new UserTables(), counted()];
  for (let coef = 1; coef <= 100; coef++) tables.get(book, coef, false, make);
  tables.get(book, 100, false, make);
  expect(made()).toBe(100);
  tables.get(book, 1, false, make);
  expect(made()).toBe(101);
});

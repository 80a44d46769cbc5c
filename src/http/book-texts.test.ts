import { expect, test } from 'vitest';
import { decideBook } from '../limits/decide.ts';
import { context, HOUR, largeMarket } from '../limits/test-inputs.ts';
import { bookTexts } from './book-texts.ts';
import { bracketsShape, limitsShape } from './shapes.ts';

test('the texts of the hot reads are what JSON.stringify writes of their shapes, byte for byte', () => {
  const inputs = [largeMarket({ symbol: 'AUSDT' }), largeMarket({ symbol: 'B"USDT', simulated: true })];
  const book = decideBook(inputs, null, context());
  const [real, simulated] = book.markets;
  const announced = [
    { brackets: simulated.brackets, announcedAt: book.decidedAt, effectiveAt: book.decidedAt + HOUR },
  ];
  const held = { ...simulated, announced, maintenance: real.brackets };
  for (const markets of [book.markets, [real, held], [real], []]) {
    for (const isExpired of [false, true]) {
      const told = { ...book, markets };
      expect(bookTexts(told, isExpired)).toEqual({
        limits: JSON.stringify(limitsShape(told, isExpired)),
        brackets: markets.map((market) =>
          JSON.stringify(bracketsShape(told, market, market.brackets, isExpired)),
        ),
      });
    }
  }
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dividedLines, mergedReport } from './divided-lines.ts';
import { partitionOf } from './partition.ts';
import { MOST_LINE_CHARACTERS } from './shard-intake.ts';

const accountLine = (id: string, size = 0): string =>
  JSON.stringify({ accountId: id, userId: 'u', filler: 'x'.repeat(size) });

const anyLine = fc.oneof(
  fc.nat(30).map((i) => accountLine(`a${i}`)),
  fc.nat(30).map((i) => accountLine(`a${i}`, 30_000)),
  fc.constantFrom('', '   ', 'nonsense', '{"accountId":7}', '{"accountId":"\\u0061"}'),
);

describe('lines of a batch, divided among partitions', () => {
  test('each goes once, in its order, to the partition of its account, and its number comes back', () => {
    fc.assert(
      fc.property(
        fc.array(anyLine, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (lines, partitions) => {
          const divided = dividedLines(lines.join('\n'), partitions, 0);
          const sent = divided.pieces.flatMap((piece) => piece.lines);
          const wanted = lines.flatMap((text, i) => (text.trim() === '' ? [] : [{ line: i + 1, text }]));
          expect(sent.toSorted((a, b) => a.line - b.line)).toEqual(wanted);
          for (const { partition, lines: own } of divided.pieces)
            for (const { text } of own) {
              const id = /^\{"accountId":"(a\d+)"/.exec(text)?.[1];
              expect(partition).toBe(id === undefined ? 0 : partitionOf(id, partitions));
            }
          for (let partition = 0; partition < partitions; partition++) {
            const numbers = divided.pieces
              .filter((piece) => piece.partition === partition)
              .flatMap((piece) => piece.lines.map(({ line }) => line));
            expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          }
          // Whoever refuses the last line of every piece means the line that it was in the batch.
          const reports = divided.pieces.map((piece) => ({
            total: piece.lines.length,
            accepted: piece.lines.length - 1,
            refused: [
              {
                ...{ line: piece.lines.length, accountId: null },
                ...({ outcome: 'refused', code: 'ACCOUNT_INVALID', message: '' } as const),
              },
            ],
          }));
          const merged = mergedReport(divided, reports);
          const last = divided.pieces.map((piece) => piece.lines[piece.lines.length - 1].line);
          expect(merged.refused.map(({ line }) => line)).toEqual(last.toSorted((a, b) => a - b));
          expect([merged.total, merged.accepted]).toEqual([wanted.length, wanted.length - last.length]);
        },
      ),
    );
  });

  test('a line that no stream takes is told, and the others go', () => {
    const text = [accountLine('a1'), accountLine('a2', MOST_LINE_CHARACTERS), accountLine('a3')].join('\n');
    const divided = dividedLines(text, 1, 0);
    expect(divided.pieces.flatMap(({ lines }) => lines.map(({ line }) => line))).toEqual([1, 3]);
    const merged = mergedReport(
      divided,
      divided.pieces.map(({ lines }) => ({ total: lines.length, accepted: lines.length, refused: [] })),
    );
    expect(merged).toMatchObject({ total: 3, accepted: 2, refused: [{ line: 2, code: 'ACCOUNT_INVALID' }] });
  });

  test('a question has at most six bytes for a character, also of the worst ones', () => {
    const worst = Array.from(
      { length: 400 },
      (_, i) => `{"accountId":"a${i}","x":"${'\u0001'.repeat(900)}"}`,
    );
    for (const { lines } of dividedLines(worst.join('\n'), 1, 0).pieces) {
      const question = JSON.stringify({ text: lines.map(({ text }) => text).join('\n') });
      expect(Buffer.byteLength(question)).toBeLessThan(6 * MOST_LINE_CHARACTERS);
    }
  });
});

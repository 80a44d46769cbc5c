import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStreamParser } from './event-stream.ts';

const TEXT =
  'id: 1\nevent: snapshot\ndata: {"a":1}\n\n: a comment\n\nevent: heartbeat\r\ndata: {}\r\n\r\nid: 2\nevent: limits\ndata: x\ndata: y\nretry\n\nid: 3\nevent: cut\ndata: never';

test('messages are the same however the text is cut, and one without an end is none', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TEXT.length), { maxLength: 30 }), (cuts) => {
      const parser = new EventStreamParser();
      const edges = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
      const events = edges.slice(1).flatMap((edge, i) => parser.take(TEXT.slice(edges[i], edge)));
      expect(events).toEqual([
        { id: '1', kind: 'snapshot', data: '{"a":1}' },
        { id: null, kind: 'heartbeat', data: '{}' },
        { id: '2', kind: 'limits', data: 'x\ny' },
      ]);
    }),
    { seed: 11, numRuns: 500 },
  );
});

test('a message that does not end fills no memory', () => {
  const parser = new EventStreamParser();
  const piece = `data: ${'x'.repeat(8 * 1024 * 1024)}`;
  expect(() => {
    for (let i = 0; i < 9; i++) parser.take(piece);
  }).toThrow('does not end');
});

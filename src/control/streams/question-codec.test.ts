import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlimsollError } from '../../errors.ts';
import {
  type Asked,
  decodeAnswers,
  decodeQuestions,
  encodeAnswers,
  encodeQuestions,
  errorOf,
  failureOf,
} from './question-codec.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('questions of another process', () => {
  test('come back as they were asked', () => {
    const table = { brackets: [], maintenance: [] };
    const questions: Asked[] = [
      { kind: 'reading', accountId: 'a' },
      { kind: 'readingsOfUser', userId: 'u' },
      { kind: 'lines', text: '{"accountId":"a"}\nnonsense' },
      { kind: 'put', value: null },
      { kind: 'impact', symbol: 'BTCUSDT', before: table, after: table },
      { kind: 'picture' },
    ];
    expect(decodeQuestions(encodeQuestions(questions))).toEqual(questions);
  });

  test('are refused where they are none, and nothing that only a process asks itself may be asked', () => {
    const rubbish = [
      '',
      '{}',
      '[]',
      'null',
      '[null]',
      '[1]',
      '[{"kind":"hold","partition":0}]',
      '[{"kind":"end"}]',
      '[{"kind":"terms","terms":[],"version":1}]',
      '[{"kind":"reading"}]',
      '[{"kind":"reading","accountId":{"length":1}}]',
      '[{"kind":"constructor"}]',
      '[{"kind":"impact","symbol":"A","before":"b","after":{}}]',
      '[{"kind":"picture"},{}]',
    ];
    for (const text of rubbish)
      expect(() => decodeQuestions(bytes(text)), text).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
  });

  test('whatever the bytes, they are questions or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (given) => {
        expect(() => decodeQuestions(given)).toThrow(PlimsollError);
      }),
    );
  });
});

describe('answers of another process', () => {
  test('keep the code of an error and its remedy; one of a code that is not known here is internal', () => {
    const failure = failureOf(new PlimsollError('SHARD_NOT_HELD', 'not now', { remedy: 'Wait.' }));
    const [answered] = decodeAnswers(encodeAnswers([{ failure }]), 1);
    expect(answered).toEqual({ failure });
    expect(errorOf(failure)).toMatchObject({ code: 'SHARD_NOT_HELD', message: 'not now', remedy: 'Wait.' });
    expect(errorOf({ ...failure, code: 'toString' as 'INTERNAL' }).code).toBe('INTERNAL');
  });

  test('of another number than was asked, or of rubbish, are no answers', () => {
    const one = encodeAnswers([{ answer: 1 }]);
    for (const [given, count] of [
      [one, 2],
      [one.subarray(0, 5), 1],
      [bytes(''), 1],
      [Uint8Array.of(1, 2, 3), 1],
    ] as const)
      expect(() => decodeAnswers(given, count)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});

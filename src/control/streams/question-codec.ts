import type { BookPicture } from '../../accounts/book/picture.ts';
import { decodePicture, encodePicture } from '../../accounts/book/picture-codec.ts';
import { asPlimsollError, ERROR_CATALOGUE, PlimsollError } from '../../errors.ts';
import type { AccountFailure, AccountRequests } from '../accounts/worker-messages.ts';

/** What may be asked of a partition by a process that does not keep it. */
const ASKED = {
  lines: ['text'],
  put: ['value'],
  reading: ['accountId'],
  readingsOfUser: ['userId'],
  impact: ['symbol', 'before', 'after'],
  marks: [],
  picture: [],
} as const satisfies { readonly [Kind in keyof AccountRequests]?: readonly string[] };

export type AskedKind = keyof typeof ASKED;

/** A question without what only the answering process adds to it: its number, and the time. */
export type Asked = {
  [Kind in AskedKind]: { readonly kind: Kind } & Omit<AccountRequests[Kind]['ask'], 'at'>;
}[AskedKind];

export type Answered = { readonly answer: unknown } | { readonly failure: AccountFailure };

/** The first byte of an answer. */
const FORM = { json: 0, picture: 1 } as const;

export function encodeQuestions(questions: readonly Asked[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(questions));
}

/** @throws PlimsollError INPUT_INVALID where the bytes are no questions. */
export function decodeQuestions(bytes: Uint8Array): readonly Asked[] {
  let questions: unknown;
  try {
    questions = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    questions = null;
  }
  if (Array.isArray(questions) && questions.length > 0 && questions.every(isAsked)) return questions;
  throw new PlimsollError('INPUT_INVALID', 'these are no questions about a partition', {
    remedy: 'Run the same release everywhere; let nobody else write to these subjects.',
  });
}

function isAsked(value: unknown): value is Asked {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const { kind } = value;
  if (typeof kind !== 'string' || !Object.hasOwn(ASKED, kind)) return false;
  const fields: readonly string[] = ASKED[kind as AskedKind];
  return fields.every((field) => {
    const given = (value as Record<string, unknown>)[field];
    return field === 'value' ? given !== undefined : typeof given === fieldTypeOf(field);
  });
}

const fieldTypeOf = (field: string): string =>
  field === 'before' || field === 'after' ? 'object' : 'string';

export function encodeAnswers(answers: readonly Answered[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(FORM.json), Buffer.from(JSON.stringify(answers))]);
}

export function encodePictureAnswer(picture: BookPicture): Uint8Array {
  return Buffer.concat([Uint8Array.of(FORM.picture), encodePicture(picture)]);
}

/** @throws PlimsollError INTERNAL where the bytes are not the answers to so many questions. */
export function decodeAnswers(bytes: Uint8Array, count: number): readonly Answered[] {
  try {
    if (bytes[0] === FORM.picture) return [{ answer: decodePicture(bytes.subarray(1)) }];
    const answers = JSON.parse(new TextDecoder().decode(bytes.subarray(1))) as readonly Answered[];
    if (answers.length === count) return answers;
  } catch {
    // Said below.
  }
  throw new PlimsollError('INTERNAL', 'another process gave no answer that can be read', {
    remedy: 'Run the same release everywhere.',
  });
}

export function failureOf(thrown: unknown): AccountFailure {
  const { code, message, remedy } = asPlimsollError(thrown);
  return { code, message, remedy };
}

/** What another process said, as an error here. */
export function errorOf({ code, message, remedy }: AccountFailure): PlimsollError {
  const known = Object.hasOwn(ERROR_CATALOGUE, code) ? code : 'INTERNAL';
  return new PlimsollError(known, message, remedy === undefined ? {} : { remedy });
}

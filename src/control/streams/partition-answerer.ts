import type { BookPicture } from '../../accounts/book/picture.ts';
import {
  type Answered,
  type Asked,
  decodeQuestions,
  encodeAnswers,
  encodePictureAnswer,
  failureOf,
} from './question-codec.ts';

/** What whoever keeps a partition answers others with. */
export interface PartitionAnswerer {
  /** Whether the partition is kept here for certain: another process may have taken it over otherwise. */
  keeps(): boolean;
  answer(question: Asked): Promise<unknown>;
}

/**
 * Questions of other processes, each answered by itself; whatever goes wrong is an answer.
 *
 * @returns null where nothing may be said: whoever keeps the partition now says it.
 */
export async function answerQuestions(
  body: Uint8Array,
  answerer: PartitionAnswerer,
): Promise<Uint8Array | null> {
  let questions: readonly Asked[];
  try {
    questions = decodeQuestions(body);
  } catch (thrown) {
    return encodeAnswers([{ failure: failureOf(thrown) }]);
  }
  if (!answerer.keeps()) return null;
  const answers = await Promise.all(questions.map((question) => answered(question, answerer)));
  // It may have been taken over while it was answered.
  if (!answerer.keeps()) return null;
  const [first] = answers;
  if (questions.length === 1 && questions[0].kind === 'picture' && 'answer' in first)
    return encodePictureAnswer(first.answer as BookPicture);
  return encodeAnswers(answers);
}

async function answered(question: Asked, answerer: PartitionAnswerer): Promise<Answered> {
  try {
    return { answer: await answerer.answer(question) };
  } catch (thrown) {
    return { failure: failureOf(thrown) };
  }
}

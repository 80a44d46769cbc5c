import { parentPort, workerData } from 'node:worker_threads';
import { mergedPicture } from './accounts/book/picture.ts';
import { answerSystem } from './control/accounts/system-desk.ts';
import type { SystemReply, SystemRequest } from './control/accounts/system-thread.ts';
import { asPlimsollError } from './errors.ts';
import type { Policy } from './limits/policy.ts';

const { policy } = workerData as { policy: Policy };

parentPort?.on('message', ({ id, question, pictures, liquidity }: SystemRequest) => {
  let reply: SystemReply;
  try {
    const picture = { ...mergedPicture(pictures), liquidity };
    reply = { id, answer: answerSystem(question, picture, policy) };
  } catch (thrown) {
    reply = { id, failure: asPlimsollError(thrown).message };
  }
  parentPort?.postMessage(reply);
});

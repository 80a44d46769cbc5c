import { parentPort, workerData } from 'node:worker_threads';
import { mergedPicture } from './accounts/book/picture.ts';
import { answerSystem } from './control/accounts/system-desk.ts';
import { SYSTEM_END, type SystemReply, type SystemRequest } from './control/accounts/system-thread.ts';
import { asPlimsollError } from './errors.ts';
import type { Policy } from './limits/policy.ts';

const { policy } = workerData as { policy: Policy };

parentPort?.on('message', (request: SystemRequest | typeof SYSTEM_END) => {
  if (request === SYSTEM_END) {
    parentPort?.close();
    return;
  }
  const { id, question, pictures, liquidity } = request;
  let reply: SystemReply;
  try {
    const picture = { ...mergedPicture(pictures), liquidity };
    reply = { id, answer: answerSystem(question, picture, policy) };
  } catch (thrown) {
    reply = { id, failure: asPlimsollError(thrown).message };
  }
  parentPort?.postMessage(reply);
});

import type { WebhookPost } from '../src/control/ports.ts';

/** A receiver that takes longer has not taken it. */
const TIMEOUT_MILLISECONDS = 10_000;

/** Follows no redirect: an address that was configured is the only one that is called. */
export const postWebhook: WebhookPost = async (url, headers, body) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
  });
  await answer.body?.cancel();
  return answer.status;
};

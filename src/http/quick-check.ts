import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdOf } from './request-id.ts';
import type { RouteAnswer, RouteContext } from './routes.ts';
import { JSON_TYPE, SECURITY_HEADERS, STALE_WARNING } from './send.ts';
import { traceOfRequest } from './trace.ts';
import { CHECK_ROUTE } from './user-routes.ts';

const LARGEST_BODY_BYTES = 16_384;

/** Whether a request is a check as exchanges send it: plain JSON of a length that is told. Anything else goes through Express. */
export function isPlainCheck({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    url === CHECK_ROUTE.path &&
    headers['content-type'] === 'application/json' &&
    Number(headers['content-length']) > 0 &&
    Number(headers['content-length']) <= LARGEST_BODY_BYTES &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers.expect === undefined
  );
}

/**
 * Answers a check before Express sees it, by the same schema and the same handler. Whatever is not a plain answer, a body in several pieces,
 * a fault of it or an error of the handler, is given back and told by Express, with everything that belongs to it.
 *
 * @param giveBack takes the request over, its body unread.
 * @param extra headers of this request alone, names and values in turns.
 */
export function answerCheck(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
  giveBack: () => void,
  extra: readonly string[],
): void {
  request.once('readable', () => {
    const body = request.read() as Buffer | null;
    const back = (): void => {
      if (body !== null) request.unshift(body);
      giveBack();
    };
    if (body === null || body.length !== Number(request.headers['content-length'])) {
      back();
      return;
    }
    try {
      const order = CHECK_ROUTE.body?.parse(JSON.parse(body.toString()));
      const input = { params: {}, query: {}, body: order, caller: null, headers: request.headers };
      const answer = CHECK_ROUTE.handle(context, input);
      if (answer instanceof Promise)
        answer.then((later) => send(request, response, later, extra)).catch(back);
      else send(request, response, answer, extra);
    } catch {
      back();
    }
  });
}

/** What does not change from answer to answer, names and values in turns. */
const HEAD = ['content-type', JSON_TYPE, 'cache-control', 'no-store', ...SECURITY_HEADERS.flat()];

function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: RouteAnswer,
  extra: readonly string[],
): void {
  if (!('json' in answer)) throw new TypeError('a check answers with JSON');
  const text = JSON.stringify(answer.json);
  const head = [...HEAD, ...extra, 'x-request-id', requestIdOf(request.headers)];
  const trace = traceOfRequest(request);
  if (trace !== null) head.push('traceparent', trace.traceparent);
  if (answer.isExpired) head.push('warning', STALE_WARNING);
  head.push('content-length', String(text.length));
  response.writeHead(200, head);
  // Nothing in it is beyond ASCII: names of markets, ids, codes and numbers.
  response.end(text, 'latin1');
}

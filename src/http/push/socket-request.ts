import { refuse } from '../problem.ts';
import { CONTRACT_INFO_STREAM, type ContractInfoRequest } from './contract-info-stream.ts';
import type { Subscription } from './hub.ts';

/** What a socket is opened for: the feed, or Binance's stream. */
export type SocketRequest =
  | { readonly kind: 'feed'; readonly subscription: Subscription }
  | OpenedContractInfo;

type OpenedContractInfo = { readonly kind: 'contractInfo' } & ContractInfoRequest;

/**
 * Binance's addresses: `/ws/NAME` for one stream, `/stream?streams=NAME` for its envelope; `/ws?streams=NAME` means the one
 * stream too.
 *
 * @returns null for the feed at `/ws`.
 * @throws PlimsollError NOT_FOUND for a path that has no socket, INPUT_INVALID for streams that are not told here.
 */
export function contractInfoRequest({ pathname, searchParams }: URL): OpenedContractInfo | null {
  const isCombined = pathname === '/stream';
  const inPath = /^\/ws\/(.+)$/.exec(pathname)?.[1];
  if (!isCombined && pathname !== '/ws' && inPath === undefined)
    throw refuse('NOT_FOUND', 'there is no socket here', 'Open it at /ws.');
  const name = inPath === undefined ? searchParams.get('streams') : decoded(inPath);
  if (name === CONTRACT_INFO_STREAM) return { kind: 'contractInfo', isCombined };
  if (name === null && !isCombined) return null;
  throw refuse(
    'INPUT_INVALID',
    'the only stream of this form is !contractInfo',
    `Open /ws/${CONTRACT_INFO_STREAM}, or /ws for the feed.`,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

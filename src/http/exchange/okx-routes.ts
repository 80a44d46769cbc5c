import { requireBook } from '../books.ts';
import type { Route, RouteAnswer, RouteContext, RouteInput } from '../routes.ts';
import { answered } from './answers.ts';
import type { Listed, Listing } from './listing.ts';
import { leverageText } from './numbers.ts';
import {
  OKX,
  OKX_NO_SUCH_INSTRUMENT,
  okxEmptyParameter,
  okxRefusal,
  okxWrongParameter,
} from './okx-refusal.ts';
import {
  currenciesAnswer,
  instrumentsAnswer,
  instrumentsQuery,
  leverageInfoAnswer,
  leverageInfoQuery,
  OKX_INSTRUMENT_TYPES,
  OKX_MARGIN_MODES,
  positionTiersAnswer,
  positionTiersQuery,
} from './okx-schemas.ts';
import { OKX_MARKETS, okxData, okxInstrument, positionTiers, swapOf } from './okx-shape.ts';
import { OKX_INSTRUMENTS_PATH, okxTiersPath } from './prepared-venues.ts';
import type { VenueRefusal } from './venue.ts';
import { mostOf, userOf } from './venue-user.ts';

interface Query {
  readonly instType?: string;
  readonly tdMode?: string;
  readonly mgnMode?: string;
  readonly uly?: string;
  readonly instFamily?: string;
  readonly instId?: string;
  readonly tier?: string;
}

/** What clients of OKX ask for when they read leverage. */
export const OKX_ROUTES: readonly Route[] = [
  {
    method: 'get',
    path: '/api/v5/public/position-tiers',
    operationId: 'okxPositionTiers',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As OKX: the position tiers of up to five families of perpetuals, in contracts',
    query: positionTiersQuery,
    answer: positionTiersAnswer,
    venue: OKX,
    handle: (context, input) => positionTiersOf(context, input),
  },
  {
    method: 'get',
    path: '/api/v5/public/instruments',
    operationId: 'okxInstruments',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As OKX: the perpetuals and what a contract is worth; what only concerns orders is empty',
    query: instrumentsQuery,
    answer: instrumentsAnswer,
    venue: OKX,
    handle: (context, input) => instrumentsOf(context, input),
  },
  {
    method: 'get',
    path: '/api/v5/account/leverage-info',
    operationId: 'okxLeverageInfo',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As OKX: the leverage of up to five instruments, the most that the user of the key could set',
    query: leverageInfoQuery,
    answer: leverageInfoAnswer,
    venue: OKX,
    handle: (context, input) => leverageInfo(context, input),
  },
  {
    method: 'get',
    path: '/api/v5/asset/currencies',
    operationId: 'okxCurrencies',
    scope: 'limits:read',
    touches: 'nobody',
    summary: 'As OKX: no currencies; clients ask before they list markets',
    answer: currenciesAnswer,
    venue: OKX,
    handle: () => ({ status: 200, json: okxData([]) }),
  },
];

const MOST_AT_ONCE = 5;

function positionTiersOf(context: RouteContext, { query }: RouteInput): RouteAnswer {
  const book = requireBook(context);
  const { instType, tdMode, uly, instFamily = uly, tier } = query as Query;
  const wrong = typeFault(instType) ?? modeFault('tdMode', tdMode);
  if (wrong !== null) return wrong;
  if (instType !== 'SWAP') return answered(context, book, NONE, 'everybody');
  if (instFamily === undefined || instFamily === '')
    return okxRefusal(400, '50015', 'Either parameter uly or instFamily is required.');
  const listing = listingOf(context);
  const path = okxTiersPath(instFamily);
  if (tier === undefined && context.prepared.get(path) !== undefined) return { prepared: path };
  const found = severalOf(instFamily, 'instFamily', (family) => listing.byName.get(family));
  if ('status' in found) return found;
  const tiers = found.flatMap(positionTiers).filter((one) => tier === undefined || one.tier === tier);
  return answered(context, book, { json: okxData(tiers), total: found.length, leftOut: 0 }, 'everybody');
}

function instrumentsOf(context: RouteContext, { query }: RouteInput): RouteAnswer {
  const book = requireBook(context);
  const { instType, uly, instFamily = uly, instId } = query as Query;
  const wrong = typeFault(instType);
  if (wrong !== null) return wrong;
  if (instType !== 'SWAP') return answered(context, book, NONE, 'everybody');
  if (instFamily === undefined && instId === undefined) return { prepared: OKX_INSTRUMENTS_PATH };
  const { byName } = listingOf(context);
  const one = instId === undefined ? byName.get(instFamily ?? '') : bySwap(byName, instId);
  if (one === undefined || (instFamily !== undefined && one.name !== instFamily))
    return OKX_NO_SUCH_INSTRUMENT;
  const json = okxData([okxInstrument(one)]);
  return answered(context, book, { json, total: 1, leftOut: 0 }, 'everybody');
}

function leverageInfo(context: RouteContext, input: RouteInput): RouteAnswer {
  const book = requireBook(context);
  const user = userOf(context, input);
  const { instId, mgnMode } = input.query as Query;
  const wrong = modeFault('mgnMode', mgnMode);
  if (wrong !== null) return wrong;
  if (instId === undefined || instId === '') return okxEmptyParameter('instId');
  const { byName } = listingOf(context);
  const found = severalOf(instId, 'instId', (name) => bySwap(byName, name));
  if ('status' in found) return found;
  const data = found.map(({ name, market }) => ({
    ccy: '',
    instId: swapOf(name),
    mgnMode,
    posSide: 'net',
    lever: leverageText(mostOf(context, market.brackets, user).leverage),
  }));
  return answered(context, book, { json: okxData(data), total: data.length, leftOut: 0 }, 'one user');
}

/** Of types that are not here there is nothing; clients list all types before they look at one. */
const NONE = { json: okxData([]), total: 0, leftOut: 0 };

function listingOf(context: RouteContext): Listing {
  return OKX_MARKETS.of(requireBook(context), context.reads.policy().contracts);
}

function bySwap(byName: Listing['byName'], instId: string): Listed | undefined {
  return instId.endsWith(SWAP_SUFFIX) ? byName.get(instId.slice(0, -SWAP_SUFFIX.length)) : undefined;
}

const SWAP_SUFFIX = swapOf('');

/** What a list with commas names. */
function severalOf(
  list: string,
  parameter: string,
  find: (name: string) => Listed | undefined,
): readonly Listed[] | VenueRefusal {
  const names = list.split(',');
  if (names.length > MOST_AT_ONCE) return okxWrongParameter(parameter);
  const found = names.map((name) => find(name));
  return found.every((one) => one !== undefined) ? found : OKX_NO_SUCH_INSTRUMENT;
}

function typeFault(instType: string | undefined): VenueRefusal | null {
  if (instType === undefined || instType === '') return okxEmptyParameter('instType');
  return (OKX_INSTRUMENT_TYPES as readonly string[]).includes(instType)
    ? null
    : okxWrongParameter('instType');
}

function modeFault(name: string, mode: string | undefined): VenueRefusal | null {
  if (mode === undefined || mode === '') return okxEmptyParameter(name);
  return (OKX_MARGIN_MODES as readonly string[]).includes(mode) ? null : okxWrongParameter(name);
}

import { isoTime } from '../clock.ts';
import { maintenanceOf } from '../limits/brackets.ts';
import { scheduleShape } from '../limits/shapes.ts';
import type { Announcement, Bracket, LimitBook, MarketLimit } from '../limits/types.ts';
import { limitShape, limitsHeadShape, publishedShape } from './shapes.ts';

/** The JSON of the hot reads of a book, as `JSON.stringify` writes `limitsShape` and `bracketsShape`. */
export interface BookTexts {
  readonly limits: string;
  /** In the order of the book's markets. */
  readonly brackets: readonly string[];
}

/** The tables of a market are most of both answers: they are written once, and so is what all markets say of the book. */
export function bookTexts(book: LimitBook, isExpired: boolean): BookTexts {
  const published = publishedShape(book, isExpired);
  const [real, simulated] = [false, true].map((isIt) => JSON.stringify({ ...published, simulated: isIt }));
  const limits: string[] = [];
  const brackets: string[] = [];
  for (const market of book.markets) {
    const tables = tablesText(market);
    limits.push(joined(JSON.stringify(limitShape(market)), tables));
    const own = joined(JSON.stringify({ symbol: market.symbol }), market.simulated ? simulated : real);
    brackets.push(joined(own, tables));
  }
  const head = JSON.stringify(limitsHeadShape(book, isExpired));
  return { limits: joined(head, `{"markets":[${limits.join(',')}]}`), brackets };
}

/** A schedule that stays is the same array, and so is what open positions are held to as a rule: it is written once. */
const scheduleTexts = new WeakMap<readonly Bracket[], string>();

function scheduleText(brackets: readonly Bracket[]): string {
  let text = scheduleTexts.get(brackets);
  if (text === undefined) {
    text = JSON.stringify(scheduleShape(brackets));
    scheduleTexts.set(brackets, text);
  }
  return text;
}

/** What is announced stays the same object until it changes. */
const announcementTexts = new WeakMap<Announcement, string>();

function announcementText(announcement: Announcement): string {
  let text = announcementTexts.get(announcement);
  if (text === undefined) {
    const { brackets, effectiveAt, announcedAt } = announcement;
    text = `{"effectiveAt":"${isoTime(effectiveAt)}","announcedAt":"${isoTime(announcedAt)}","brackets":${scheduleText(brackets)}}`;
    announcementTexts.set(announcement, text);
  }
  return text;
}

/** As `JSON.stringify` writes `tablesShape`. */
function tablesText(market: MarketLimit): string {
  const announced = (market.announced ?? []).map(announcementText);
  const maintenance = scheduleText(maintenanceOf(market));
  return `{"brackets":${scheduleText(market.brackets)},"maintenance":${maintenance},"announced":[${announced.join(',')}]}`;
}

/** One object with the fields of two, neither of them empty. */
function joined(object: string, other: string): string {
  return `${object.slice(0, -1)},${other.slice(1)}`;
}

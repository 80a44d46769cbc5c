import { type AccountRecord, MOST_POSITIONS, type PositionRecord } from './account-book.ts';
import { faultBeside, faultOfPosition } from './account-line.ts';
import type { MarketRows } from './market-rows.ts';

/**
 * Reads lines of accounts as senders write them: plain JSON without escapes, known fields in any order, decimals as strings.
 * It makes no value on the way, which is most of what `JSON.parse` and what follows cost. Whatever it does not know, or would
 * refuse, it leaves to `readAccount`, which judges every line alike: a line means the same to both, or nothing here.
 */
export class AccountScanner {
  readonly #markets: MarketRows;
  #text = '';
  #at = 0;
  #end = 0;
  /** Of the string that was read last. */
  #from = 0;
  #until = 0;

  constructor(markets: MarketRows) {
    this.#markets = markets;
  }

  /** The account in text[from..until); null where it is not as plain as that. */
  read(text: string, from: number, until: number): AccountRecord | null {
    this.#text = text;
    this.#at = from;
    this.#end = until;
    let [accountId, userId, mode, sequence] = ['', '', '', 0];
    let collateral = Number.NaN;
    let positions: PositionRecord[] | null = null;
    if (!this.#take(OPEN_BRACE)) return null;
    do {
      if (!this.#string() || !this.#keyEnds()) return null;
      switch (this.#slice()) {
        case 'accountId':
          accountId = this.#id();
          break;
        case 'userId':
          userId = this.#id();
          break;
        case 'marginMode':
          mode = this.#string() ? this.#slice() : '';
          break;
        case 'equity':
          collateral = this.#decimal(true);
          break;
        case 'sequence':
          sequence = this.#whole();
          break;
        case 'positions':
          positions = this.#positions();
          break;
        default:
          return null;
      }
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACE)) return null;
    this.#space();
    if (this.#at !== this.#end || accountId === '' || userId === '' || positions === null) return null;
    if ((mode !== 'cross' && mode !== 'isolated') || Number.isNaN(collateral) || sequence < 0) return null;
    const isIsolated = mode === 'isolated';
    if (isIsolated && positions.some(({ isolatedMargin }) => Number.isNaN(isolatedMargin))) return null;
    return { accountId, userId, isIsolated, collateral, sequence, positions };
  }

  #positions(): PositionRecord[] | null {
    const positions: PositionRecord[] = [];
    if (!this.#take(OPEN_BRACKET)) return null;
    if (this.#take(CLOSE_BRACKET)) return positions;
    let count = 0;
    do {
      const position = this.#position();
      if (position === null || ++count > MOST_POSITIONS) return null;
      if (position.quantity === 0) continue;
      if (faultOfPosition(position, this.#markets) || faultBeside(position, positions, this.#markets))
        return null;
      positions.push(position);
    } while (this.#take(COMMA));
    return this.#take(CLOSE_BRACKET) ? positions : null;
  }

  #position(): PositionRecord | null {
    let [market, side] = [-1, ''];
    let [amount, entryPrice, isolatedMargin] = [Number.NaN, Number.NaN, Number.NaN];
    if (!this.#take(OPEN_BRACE)) return null;
    do {
      if (!this.#string() || !this.#keyEnds()) return null;
      switch (this.#slice()) {
        case 'symbol':
          market = this.#string() ? this.#markets.find(this.#slice()) : -1;
          break;
        case 'side':
          side = this.#string() ? this.#slice() : '';
          break;
        case 'quantity':
          amount = this.#decimal(true);
          break;
        case 'entryPrice':
          entryPrice = this.#decimal(false);
          break;
        case 'isolatedMargin':
          isolatedMargin = this.#decimal(true);
          if (Number.isNaN(isolatedMargin)) return null;
          break;
        default:
          return null;
      }
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACE) || market < 0 || Number.isNaN(amount) || Number.isNaN(entryPrice))
      return null;
    if (side !== 'net' && (amount < 0 || (side !== 'long' && side !== 'short'))) return null;
    return { market, quantity: side === 'short' ? -amount : amount, entryPrice, isolatedMargin };
  }

  /** 1 to 64 letters, digits and _ . : - ; empty for anything else. */
  #id(): string {
    if (!this.#string()) return '';
    const length = this.#until - this.#from;
    if (length < 1 || length > 64) return '';
    for (let i = this.#from; i < this.#until; i++)
      if (ID_CHARACTER[this.#text.charCodeAt(i)] !== 1) return '';
    return this.#slice();
  }

  /** A string of a plain decimal; NaN for anything else. */
  #decimal(maySign: boolean): number {
    if (!this.#string()) return Number.NaN;
    const text = this.#text;
    let i = this.#from;
    const isNegative = maySign && text.charCodeAt(i) === MINUS;
    if (isNegative) i++;
    let [mantissa, digits, decimals] = [0, 0, 0];
    const start = i;
    for (; i < this.#until; i++) {
      const digit = text.charCodeAt(i) - ZERO;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
      digits++;
    }
    if (digits < 1 || digits > 15) return Number.NaN;
    if (i < this.#until) {
      if (text.charCodeAt(i) !== POINT) return Number.NaN;
      for (i++; i < this.#until; i++) {
        const digit = text.charCodeAt(i) - ZERO;
        if (digit < 0 || digit > 9) return Number.NaN;
        mantissa = mantissa * 10 + digit;
        decimals++;
      }
      if (decimals < 1 || decimals > 18) return Number.NaN;
    }
    // Both exact, so that their quotient is the nearest number (Clinger 1990); otherwise the library knows.
    const value =
      digits + decimals <= 15 ? mantissa / POWERS_OF_TEN[decimals] : Number(text.slice(start, this.#until));
    return isNegative ? -value : value;
  }

  /** A whole number of at most 15 digits; −1 for anything else. */
  #whole(): number {
    this.#space();
    let [value, digits] = [0, 0];
    const isLeadingZero = this.#text.charCodeAt(this.#at) === ZERO;
    for (; this.#at < this.#end; this.#at++) {
      const digit = this.#text.charCodeAt(this.#at) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      digits++;
    }
    return digits < 1 || digits > 15 || (isLeadingZero && digits > 1) ? -1 : value;
  }

  /** A string without escapes; what is in it stands from `#from` to `#until`. */
  #string(): boolean {
    if (!this.#take(QUOTE)) return false;
    const text = this.#text;
    this.#from = this.#at;
    for (; this.#at < this.#end; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#until = this.#at++;
        return true;
      }
      if (code === BACKSLASH || code < SPACE) return false;
    }
    return false;
  }

  #keyEnds(): boolean {
    return this.#take(COLON);
  }

  #slice(): string {
    return this.#text.slice(this.#from, this.#until);
  }

  #take(code: number): boolean {
    this.#space();
    if (this.#at >= this.#end || this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (this.#at < this.#end && this.#text.charCodeAt(this.#at) === SPACE) this.#at++;
  }
}

const [SPACE, QUOTE, COMMA, COLON, MINUS, POINT, ZERO, BACKSLASH] = [...' ",:-.0\\'].map((c) =>
  c.charCodeAt(0),
);
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [...'{}[]'].map((c) => c.charCodeAt(0));
const POWERS_OF_TEN = Float64Array.from({ length: 19 }, (_, i) => Number(`1e${i}`));
const ID_CHARACTER = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w.:-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

import type { MarketTerms } from './market-rows.ts';
import type { BookPicture } from './picture.ts';

interface PictureHead {
  readonly accounts: number;
  readonly positions: number;
  readonly terms: readonly MarketTerms[];
}

/** Columns of wider numbers come first, so that each begins where its numbers may. */
const HEAD_ALIGNMENT = 8;

/**
 * A picture as bytes: the length of a head, the head (JSON, padded to 8 bytes with spaces), and the columns behind it in the order of
 * their width, little-endian as in memory.
 */
export function encodePicture({ accounts, terms, marks }: BookPicture): Uint8Array {
  const head: PictureHead = { accounts: accounts.accounts, positions: accounts.market.length, terms };
  const json = JSON.stringify(head);
  const length = Buffer.byteLength(json) + 4;
  const text = json + ' '.repeat((HEAD_ALIGNMENT - (length % HEAD_ALIGNMENT)) % HEAD_ALIGNMENT);
  const prefix = Buffer.alloc(4 + Buffer.byteLength(text));
  prefix.writeUInt32LE(prefix.length - 4, 0);
  prefix.write(text, 4);
  const columns = [
    ...[marks, accounts.collateral, accounts.quantity, accounts.entryPrice, accounts.isolatedMargin],
    ...[accounts.firstPosition, accounts.positionCount, accounts.market],
  ];
  const bytes = columns.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return Buffer.concat([prefix, ...bytes]);
}

/**
 * The columns are views of one copy of the bytes.
 *
 * @throws RangeError, SyntaxError where the bytes are not those of a picture.
 */
export function decodePicture(bytes: Uint8Array): BookPicture {
  const { buffer } = new Uint8Array(bytes);
  const headLength = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(Buffer.from(buffer, 4, headLength).toString('utf8')) as PictureHead;
  const { accounts, positions, terms } = head;
  let at = 4 + headLength;
  const column = <T>(make: new (memory: ArrayBuffer, from: number, length: number) => T, width: number) => {
    return (length: number): T => {
      const made = new make(buffer, at, length);
      at += length * width;
      return made;
    };
  };
  const doubles = column(Float64Array, 8);
  const marks = doubles(terms.length);
  const collateral = doubles(accounts);
  const [quantity, entryPrice, isolatedMargin] = [doubles(positions), doubles(positions), doubles(positions)];
  const firstPosition = column(Int32Array, 4)(accounts);
  const shorts = column(Uint16Array, 2);
  const [positionCount, market] = [shorts(accounts), shorts(positions)];
  if (at !== buffer.byteLength) throw new RangeError(`a picture of ${buffer.byteLength} bytes, not ${at}`);
  return {
    accounts: {
      ...{ accounts, collateral, firstPosition, positionCount },
      ...{ market, quantity, entryPrice, isolatedMargin },
    },
    terms,
    marks,
  };
}

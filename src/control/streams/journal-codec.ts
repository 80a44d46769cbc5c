import type { AccountBatch, Positions } from '../accounts/ports.ts';

/** A batch as the journal of a shard keeps it. */
export interface JournalBatch extends AccountBatch {
  /** Number of the batch in the shard: 1, 2, 3, … without gaps. */
  readonly batch: number;
  readonly positions: Positions;
}

const LENGTH_BYTES = 4;

/** The length of the header, the header as JSON, the batch as its writer wrote it. */
export function encodeBatch({ body, ...rest }: JournalBatch): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify(rest));
  const bytes = new Uint8Array(LENGTH_BYTES + header.length + body.length);
  new DataView(bytes.buffer).setUint32(0, header.length);
  bytes.set(header, LENGTH_BYTES);
  bytes.set(body, LENGTH_BYTES + header.length);
  return bytes;
}

export function decodeBatch(bytes: Uint8Array): JournalBatch {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const header = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  return {
    ...(JSON.parse(new TextDecoder().decode(header)) as Omit<JournalBatch, 'body'>),
    body: bytes.slice(LENGTH_BYTES + length),
  };
}

/** In pieces of at most so many bytes; one piece for nothing. */
export function piecesOf(bytes: Uint8Array, most: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from === 0 || from < bytes.length; from += most)
    pieces.push(bytes.subarray(from, from + most));
  return pieces;
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

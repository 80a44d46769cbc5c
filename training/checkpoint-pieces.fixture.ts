const WORDS = 50_000;

/** Content that is telling wherever it is cut: the piece and the round, repeated. */
export function pieceContent(piece: number, round: number): Buffer {
  const words = new Uint32Array(WORDS);
  for (let i = 0; i < WORDS; i += 2) {
    words[i] = piece;
    words[i + 1] = round;
  }
  return Buffer.from(words.buffer);
}

/** Whether these bytes are what `pieceContent` makes for this piece and one whole round. */
export function isWholePiece(piece: number, bytes: Buffer): boolean {
  return bytes.length === WORDS * 4 && bytes.equals(pieceContent(piece, bytes.readUInt32LE(4)));
}

import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { pieceContent } from './checkpoint-pieces.fixture.ts';
import { Checkpoints } from './checkpoints.ts';

/** A process for crash tests: puts the same pieces again and again, each time with another content, and says which it has put, until it is killed. */
const [dataDir, key, pieces] = process.argv.slice(2);
flushCompileCache();
const checkpoints = Checkpoints.open(dataDir, key);
for (let round = 0; ; round++)
  for (let piece = 0; piece < Number(pieces); piece++) {
    checkpoints.put(`fold-${piece}`, pieceContent(piece, round));
    writeSync(1, `${piece}\n`);
  }

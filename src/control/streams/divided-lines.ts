import type { BatchReport, RefusedLine } from '../accounts/account-desk.ts';
import { partitionOf } from './partition.ts';
import { MOST_LINE_CHARACTERS, tooLongLine } from './shard-intake.ts';

/** Lines of a batch that go to one partition together. */
export interface Piece {
  readonly partition: number;
  readonly lines: readonly NumberedLine[];
}

export interface DividedLines {
  readonly pieces: readonly Piece[];
  /** Lines that no stream takes. */
  readonly tooLong: readonly RefusedLine[];
}

export interface NumberedLine {
  /** In the batch, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Characters of a piece of several lines; a question has at most six bytes for each. */
const MOST_CHARACTERS = 96 * 1024;

const ACCOUNT_ID = /"accountId"\s*:\s*"([^"\\]*)"/;

/**
 * Lines by the partition of the account that they seem to be of, in their order within each. Whoever keeps a partition judges: a line
 * that was sent to the wrong one has no effect, and is told.
 *
 * @param otherwise the partition that says what is wrong with lines which name no account.
 */
export function dividedLines(text: string, partitions: number, otherwise: number): DividedLines {
  const pieces: Piece[] = [];
  const tooLong: RefusedLine[] = [];
  const open = new Map<number, { readonly lines: NumberedLine[]; characters: number }>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line.length > MOST_LINE_CHARACTERS) tooLong.push(tooLongLine(i + 1));
    if (line.length > MOST_LINE_CHARACTERS || line.trim() === '') continue;
    const accountId = ACCOUNT_ID.exec(line)?.[1];
    const partition = accountId === undefined ? otherwise : partitionOf(accountId, partitions);
    let piece = open.get(partition);
    if (piece === undefined || (piece.lines.length > 0 && piece.characters + line.length > MOST_CHARACTERS)) {
      piece = { lines: [], characters: 0 };
      open.set(partition, piece);
      pieces.push({ partition, lines: piece.lines });
    }
    piece.lines.push({ line: i + 1, text: line });
    piece.characters += line.length + 1;
  }
  return { pieces, tooLong };
}

/** What became of the pieces, as one report with the numbers of the batch. */
export function mergedReport(
  { pieces, tooLong }: DividedLines,
  reports: readonly BatchReport[],
): BatchReport {
  const refused = reports.flatMap((report, i) =>
    report.refused.map((one) => ({ ...one, line: pieces[i].lines[one.line - 1].line })),
  );
  refused.push(...tooLong);
  const total = reports.reduce((sum, report) => sum + report.total, tooLong.length);
  return { total, accepted: total - refused.length, refused: refused.sort((a, b) => a.line - b.line) };
}

import { availableParallelism, cpus, totalmem } from 'node:os';

/** One line about the machine, so that a figure is never read without it. */
export function machine(): string {
  const [{ model }] = cpus();
  const gigabytes = (totalmem() / 1e9).toFixed(0);
  return `${availableParallelism()} × ${model.trim()}, ${gigabytes} GB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median milliseconds of a piece of work on this thread, after two rounds that nobody counts. */
export function medianMilliseconds(work: () => unknown, rounds: number): number {
  work();
  work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const since = performance.now();
    work();
    times.push(performance.now() - since);
  }
  return median(times);
}

/** Milliseconds of processor time of this process, garbage collection and compiling in it, after two rounds that nobody counts. */
export function processorMilliseconds(
  work: () => unknown,
  rounds: number,
): { readonly median: number; readonly least: number } {
  work();
  work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const since = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(since);
    times.push((user + system) / 1000);
  }
  return { median: median(times), least: Math.min(...times) };
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Why accounts are not taken in by a process that keeps them, as `/readyz` and the metrics say it. */
export const STREAM_REASONS = ['STREAMS_UNAVAILABLE', 'STREAM_LOST'] as const;
export type StreamReason = (typeof STREAM_REASONS)[number];

/** Edges at the objectives: a read within 1 ms, a check within 5 ms, anything within a second. */
export const REQUEST_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
];

/** Closer together around no change at all. */
export const CHANGE_RATIOS = [0.25, 0.5, 0.67, 0.8, 0.9, 0.95, 0.99, 1, 1.01, 1.05, 1.1, 1.25, 1.5, 2];

/** Numbers for golden values that any language repeats: Park and Miller's generator (1988), normals by Box and Muller's cosine. */
export interface GoldenNumbers {
  /** In (0, 1). */
  uniform(): number;
  normal(): number;
}

export function parkMiller(seed: number): GoldenNumbers {
  let state = seed;
  const uniform = (): number => {
    state = (16807 * state) % 2147483647;
    return state / 2147483647;
  };
  const normal = (): number => {
    const [a, b] = [uniform(), uniform()];
    return Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b);
  };
  return { uniform, normal };
}

/**
 * t returns with a volatility of their own, by the recursion of an asymmetric GARCH: σ² = ω + (α + γ 1{ε < 0}) ε² + β σ².
 *
 * @param nu whole degrees of freedom above 2: t is a normal over the root of a sum of squares.
 */
export function goldenReturns(
  n: number,
  seed: number,
  { omega, alpha, gamma, beta, mu }: Record<'omega' | 'alpha' | 'gamma' | 'beta' | 'mu', number>,
  nu: number,
  scale: number,
): Float64Array {
  const { normal } = parkMiller(seed);
  const returns = new Float64Array(n);
  let variance = omega / (1 - alpha - 0.5 * gamma - beta);
  for (let t = 0; t < n; t++) {
    const z = normal();
    let chiSquare = 0;
    for (let i = 0; i < nu; i++) chiSquare += normal() ** 2;
    const shock = Math.sqrt(variance) * z * Math.sqrt((nu - 2) / chiSquare);
    returns[t] = scale * (mu + shock);
    variance = omega + (alpha + (shock < 0 ? gamma : 0)) * shock * shock + beta * variance;
  }
  return returns;
}

/** The series that most golden values of returns are of: 2,000 with asymmetric volatility and heavy tails. */
export function asymmetricReturns(): Float64Array {
  return goldenReturns(2000, 12345, { omega: 0.05, alpha: 0.04, gamma: 0.08, beta: 0.88, mu: 0.03 }, 5, 0.01);
}

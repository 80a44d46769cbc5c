/** The gamma function by its logarithm, and the derivative of that. */

/**
 * ln Γ(x) for x > 0: Lanczos' approximation with g = 7 and nine coefficients (Godfrey 2001) below 15, Stirling's series above,
 * which keeps its digits where x is large. Relative error near 1e-15.
 */
export function logGamma(x: number): number {
  if (x >= STIRLING_FROM) return stirling(x);
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const y = x - 1;
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (y + i);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}

const STIRLING_FROM = 15;

/** (x − ½) ln x − x + ½ ln 2π, plus its error. */
function stirling(x: number): number {
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + stirlingError(x);
}

/** What Stirling's formula lacks: ln Γ(x) − [(x − ½) ln x − x + ½ ln 2π] = Σ B₂ₖ / (2k (2k − 1) x^(2k − 1)), for x > 0. */
export function stirlingError(x: number): number {
  if (x < STIRLING_FROM) return logGamma(x) - ((x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI));
  const inverse = 1 / x;
  const square = inverse * inverse;
  return (
    inverse *
    (1 / 12 +
      square *
        (-1 / 360 +
          square * (1 / 1260 + square * (-1 / 1680 + square * (1 / 1188 - (square * 691) / 360360)))))
  );
}

/**
 * ψ(x) = d ln Γ / dx for x > 0: the recurrence ψ(x) = ψ(x + 1) − 1/x up to 10, and the asymptotic series from there
 * (Abramowitz and Stegun 6.3.18).
 */
export function digamma(x: number): number {
  let value = 0;
  let y = x;
  while (y < 10) {
    value -= 1 / y;
    y++;
  }
  const square = 1 / (y * y);
  const series =
    square *
    (1 / 12 -
      square *
        (1 / 120 - square * (1 / 252 - square * (1 / 240 - square * (1 / 132 - (square * 691) / 32760)))));
  return value + Math.log(y) - 0.5 / y - series;
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

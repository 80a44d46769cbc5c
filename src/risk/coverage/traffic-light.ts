import { binomialCumulative } from '../numeric/binomial.ts';

export type TrafficLight = 'green' | 'yellow' | 'red';

/**
 * The zones of the Basel Committee (1996), for any number of observations and any confidence: yellow from where so few
 * exceedances or fewer have a probability of 95 %, red from 99.99 %. For 250 days at 99 % these are 5 and 10.
 */
export function trafficLight(exceedances: number, n: number, confidence: number): TrafficLight {
  const probability = binomialCumulative(exceedances, n, 1 - confidence);
  if (probability >= 0.9999) return 'red';
  return probability >= 0.95 ? 'yellow' : 'green';
}

import { createHash } from 'node:crypto';
import { FEATURE_COUNT, featureIndex, VOLATILITY_CENTRE } from '../src/features/spec.ts';
import { QUANTILE_LEVELS } from '../src/forecast/network-output.ts';
import { HORIZONS_HOURS, SIDE_COUNT } from '../src/forecast/predictor.ts';

/** The few messages of onnx.proto that a small model needs, in Protocol Buffers' wire format. */
const varint = (value: number | bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
};
const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)]);
const block = (field: number, ...parts: Buffer[]): Buffer => {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
};
const text = (field: number, value: string): Buffer => block(field, Buffer.from(value));

/** onnx.proto's TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;

/** A tensor that the model holds. */
function held(name: string, dims: readonly number[], numbers: Float32Array | BigInt64Array): Buffer {
  const type = numbers instanceof Float32Array ? FLOAT : INT64;
  const raw = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return block(5, ...dims.map((dim) => integer(1, dim)), integer(2, type), text(8, name), block(9, raw));
}

function node(operator: string, inputs: readonly string[], output: string): Buffer {
  return block(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, operator));
}

/** An input (field 11) or output (field 12) of the graph. */
function value(field: number, name: string, dims: readonly (number | string)[]): Buffer {
  const shape = dims.map((dim) => block(1, typeof dim === 'string' ? text(2, dim) : integer(1, dim)));
  return block(field, text(1, name), block(2, block(1, integer(1, FLOAT), block(2, ...shape))));
}

export interface OnnxFileOptions {
  /** Everything that the model says is multiplied by this; NaN where it is. */
  readonly factor?: number;
  /** ES over the quantile of its confidence. */
  readonly shortfallRatio?: number;
  readonly input?: string;
  readonly columns?: number;
  readonly rows?: number | string;
  readonly quantilesName?: string;
  /** How many quantiles a path has. */
  readonly levels?: number;
}

/** Quantiles of |excursion| over the volatility, by level, of something like a Student t. */
const SIZES = [0.6, 1.1, 1.7, 2.2, 2.8, 3.7, 4.5, 6.8];
const SHORTFALL_LEVELS = [3, 5, 6, 7];

/** What the model below answers for a row, by the formula: its forecast is a straight line in the logs of two volatilities. */
export function formulaOfOnnxFile(
  features: Float64Array,
  row: number,
  horizon: number,
  level: number,
): number {
  const at = (name: 'logRealisedVolatility24h' | 'logRealisedVolatility168h'): number =>
    features[row * FEATURE_COUNT + featureIndex(name)];
  const log = 0.5 * at('logRealisedVolatility24h') + 0.4 * at('logRealisedVolatility168h');
  return VOLATILITY_CENTRE * Math.sqrt(HORIZONS_HOURS[horizon] / 24) * SIZES[level] * Math.exp(log);
}

/** A model as somebody exports it: exp of a linear function of the features, in the shape that Plimsoll asks for. */
export function onnxFile(options: OnnxFileOptions = {}): Buffer {
  const { factor = 1, shortfallRatio = 1.3, input = 'features', columns = FEATURE_COUNT } = options;
  const { rows = 'N', quantilesName = 'quantiles', levels = QUANTILE_LEVELS.length } = options;
  const paths = SIDE_COUNT * HORIZONS_HOURS.length;
  const linear = (name: string, sizes: readonly number[]): Buffer[] => {
    const outputs = paths * sizes.length;
    const weights = new Float32Array(columns * outputs);
    weights.fill(0.5, featureIndex('logRealisedVolatility24h') * outputs).fill(0, outputs);
    weights.fill(0.4, featureIndex('logRealisedVolatility168h') * outputs, 2 * outputs);
    const bias = Float32Array.from({ length: outputs }, (_, i) => {
      const hours = HORIZONS_HOURS[Math.floor(i / sizes.length) % HORIZONS_HOURS.length];
      return Math.log(VOLATILITY_CENTRE * Math.sqrt(hours / 24) * sizes[i % sizes.length] * factor);
    });
    const shape = BigInt64Array.from([
      0n,
      BigInt(SIDE_COUNT),
      BigInt(HORIZONS_HOURS.length),
      BigInt(sizes.length),
    ]);
    return [
      node('MatMul', [input, `${name}.weights`], `${name}.product`),
      node('Add', [`${name}.product`, `${name}.bias`], `${name}.log`),
      node('Exp', [`${name}.log`], `${name}.flat`),
      node('Reshape', [`${name}.flat`, `${name}.shape`], name),
      held(`${name}.weights`, [columns, outputs], weights),
      held(`${name}.bias`, [outputs], bias),
      held(`${name}.shape`, [4], shape),
      value(12, name, [rows, SIDE_COUNT, HORIZONS_HOURS.length, sizes.length]),
    ];
  };
  const graph = block(
    7,
    ...linear(quantilesName, SIZES.slice(0, levels)),
    ...linear(
      'expected_shortfall',
      SHORTFALL_LEVELS.map((level) => shortfallRatio * SIZES[level]),
    ),
    text(2, 'linear'),
    value(11, input, [rows, columns]),
  );
  // IR version 8, operators of version 13.
  return Buffer.concat([integer(1, 8), graph, block(8, text(1, ''), integer(2, 13))]);
}

/** What lies beside it. */
export function originOfOnnxFile(featureSpecHash: string, to: string, markets: readonly string[]) {
  return {
    title: 'log-linear',
    command: 'python fit.py --seed 7',
    featureSpecHash,
    data: {
      from: '2022-01-01T00:00:00.000Z',
      to,
      markets,
      simulated: false,
      hash: createHash('sha256').update('training set').digest('hex'),
    },
  };
}

import { LEVEL_COUNT } from '../src/forecast/network-inputs.ts';
import { LEVELLED_OUTPUTS } from '../src/forecast/network-output.ts';
import type { NetworkWeights } from '../src/forecast/shock-model.ts';

/**
 * All members' weights as bytes: member by member, layer by layer, kernel before bias, then the slopes of the levels; float32
 * little-endian.
 */
export function packWeights(members: readonly NetworkWeights[]): Buffer {
  const arrays = members.flatMap(({ layers, levelSlopes }) => [
    ...layers.flatMap(({ kernel, bias }) => [kernel, bias]),
    levelSlopes,
  ]);
  const total = arrays.reduce((sum, array) => sum + array.length, 0);
  const bytes = Buffer.alloc(total * 4);
  let offset = 0;
  for (const array of arrays) for (const value of array) offset = bytes.writeFloatLE(value, offset);
  return bytes;
}

/** The members again, or null where the bytes are not as many as the layers need or hold a number that is none. */
export function unpackWeights(
  bytes: Buffer,
  layers: readonly { readonly inputs: number; readonly outputs: number }[],
  members: number,
): NetworkWeights[] | null {
  const slopes = LEVEL_COUNT * LEVELLED_OUTPUTS.length;
  const perMember = layers.reduce((sum, { inputs, outputs }) => sum + inputs * outputs + outputs, slopes);
  if (bytes.length !== perMember * members * 4) return null;
  let offset = 0;
  let isWhole = true;
  const take = (length: number): Float32Array => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++, offset += 4) {
      values[i] = bytes.readFloatLE(offset);
      isWhole &&= Number.isFinite(values[i]);
    }
    return values;
  };
  const unpacked = Array.from({ length: members }, () => ({
    layers: layers.map(({ inputs, outputs }) => ({
      inputs,
      outputs,
      kernel: take(inputs * outputs),
      bias: take(outputs),
    })),
    levelSlopes: take(slopes),
  }));
  return isWhole ? unpacked : null;
}

/** The row-wise steps of a layer: RMSNorm, rotation, SwiGLU. Rows are `stride` bytes apart. */
import { exponential, sumOf } from './vectors';

/** `x / sqrt(mean(x²) + epsilon) · weight` for rows `from` to before `to` of `columns` values. */
export function rmsNorm(
  x: usize,
  xStride: i32,
  weight: usize,
  out: usize,
  outStride: i32,
  from: i32,
  to: i32,
  columns: i32,
  epsilon: f32,
): void {
  const whole = columns & ~3;
  for (let row = from; row < to; row++) {
    const source = x + row * xStride;
    const target = out + row * outStride;
    let squares = f32x4.splat(0);
    for (let i = 0; i < whole; i += 4) {
      const value = v128.load(source + (i << 2));
      squares = f32x4.add(squares, f32x4.mul(value, value));
    }
    let sum = sumOf(squares);
    for (let i = whole; i < columns; i++) {
      const value = load<f32>(source + (i << 2));
      sum += value * value;
    }
    const factor = <f32>1 / sqrt<f32>(sum / <f32>columns + epsilon);
    const factors = f32x4.splat(factor);
    for (let i = 0; i < whole; i += 4) {
      const at = i << 2;
      v128.store(target + at, f32x4.mul(f32x4.mul(v128.load(source + at), factors), v128.load(weight + at)));
    }
    for (let i = whole; i < columns; i++) {
      const at = i << 2;
      store<f32>(target + at, load<f32>(source + at) * factor * load<f32>(weight + at));
    }
  }
}

/**
 * The heads of one row, rotated and scaled: value i of a head's first half turns with value i of its second.
 *
 * @param cos - `[headDim / 2]` of this row, sin alike; 0 where nothing rotates.
 * @param out - head h goes to `out + h · outHeadStride`; may be where x is.
 */
export function rotate(
  x: usize,
  heads: i32,
  headDim: i32,
  cos: usize,
  sin: usize,
  scale: f32,
  out: usize,
  outHeadStride: i32,
): void {
  const half = headDim >> 1;
  const halfBytes = half << 2;
  const scales = f32x4.splat(scale);
  for (let head = 0; head < heads; head++) {
    const source = x + head * (headDim << 2);
    const target = out + head * outHeadStride;
    if (cos == 0) {
      for (let i = 0; i < headDim; i += 4) {
        v128.store(target + (i << 2), f32x4.mul(v128.load(source + (i << 2)), scales));
      }
      continue;
    }
    let i = 0;
    for (; i + 4 <= half; i += 4) {
      const at = i << 2;
      const low = v128.load(source + at);
      const high = v128.load(source + at + halfBytes);
      const c = v128.load(cos + at);
      const s = v128.load(sin + at);
      v128.store(target + at, f32x4.mul(f32x4.sub(f32x4.mul(low, c), f32x4.mul(high, s)), scales));
      v128.store(
        target + at + halfBytes,
        f32x4.mul(f32x4.add(f32x4.mul(high, c), f32x4.mul(low, s)), scales),
      );
    }
    for (; i < half; i++) {
      const at = i << 2;
      const low = load<f32>(source + at);
      const high = load<f32>(source + at + halfBytes);
      const c = load<f32>(cos + at);
      const s = load<f32>(sin + at);
      store<f32>(target + at, (low * c - high * s) * scale);
      store<f32>(target + at + halfBytes, (high * c + low * s) * scale);
    }
  }
}

/** `gate ← silu(gate) · up`, in place; lanes behind `columns` stay as they are. */
export function swiGlu(gate: usize, up: usize, stride: i32, from: i32, to: i32, columns: i32): void {
  const one = f32x4.splat(1);
  for (let row = from; row < to; row++) {
    const gates = gate + row * stride;
    const ups = up + row * stride;
    // Rows are padded to whole vectors, and what is padded is zero in both.
    for (let at = 0; at < columns << 2; at += 16) {
      const value = v128.load(gates + at);
      const sigmoid = f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(value))));
      v128.store(gates + at, f32x4.mul(f32x4.mul(value, sigmoid), v128.load(ups + at)));
    }
  }
}

/** A softmax over each of a row's `parts`, `size` values side by side, in place; what is padded behind them becomes 1. */
export function softmaxParts(x: usize, stride: i32, rows: i32, parts: i32, size: i32): void {
  for (let row = 0; row < rows; row++) {
    const values = x + row * stride;
    for (let part = 0; part < parts; part++) {
      const from = values + ((part * size) << 2);
      let most = load<f32>(from);
      for (let i = 1; i < size; i++) most = max<f32>(most, load<f32>(from + (i << 2)));
      for (let i = 0; i < size; i++) store<f32>(from + (i << 2), load<f32>(from + (i << 2)) - most);
    }
    for (let i = parts * size; i < stride >> 2; i++) store<f32>(values + (i << 2), 0);
    for (let at = 0; at < stride; at += 16) v128.store(values + at, exponential(v128.load(values + at)));
    for (let part = 0; part < parts; part++) {
      const from = values + ((part * size) << 2);
      let total: f32 = 0;
      for (let i = 0; i < size; i++) total += load<f32>(from + (i << 2));
      const factor = <f32>1 / total;
      for (let i = 0; i < size; i++) store<f32>(from + (i << 2), load<f32>(from + (i << 2)) * factor);
    }
  }
}

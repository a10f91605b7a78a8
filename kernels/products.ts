/**
 * `x · weightᵀ + bias` over weights as they are stored: float32, float16, bfloat16, or groups of 32 with 8 or 4 bits.
 * Grouped weights meet activations of 16 bits with a scale a group, so that every product within a group is a whole
 * number: one widening multiply-add handles eight weights, and what is rounded is 2^-16 of a group's largest value.
 */
import { greatestOf, sumLanes, sumLanesI32, sumOf, storeLanes } from './vectors';

/** A weight matrix in memory, `[outputs, inputs]`: words of its descriptor. Rows are padded to whole vectors. */
@unmanaged
export class Linear {
  /** A `Format`. */
  format: i32;
  /** A multiple of 4 in memory, with rows of zeros; this many are real. */
  outputs: i32;
  inputs: i32;
  /** Bytes from one row of `weight` to the next. */
  rowBytes: i32;
  weight: usize;
  /** Groups: `[outputs / 4, inputs / 32, 4]` float32. */
  scale: usize;
  /** The same shape: what is added to each weight of a group; 0 where nothing is. */
  least: usize;
  /** `[outputs]` float32; 0 for none. */
  bias: usize;
}

export namespace Format {
  export const F32 = 0;
  export const F16 = 1;
  export const BF16 = 2;
  export const Q8 = 3;
  export const Q4 = 4;
  /** Groups of whole numbers of 16 bits, whose sum is small enough for their products with activations of 14. */
  export const Q16 = 5;
}

/** Activations with 16 bits a value. */
@unmanaged
export class Rounded {
  /** `[rows, inputs]` int16, rows `inputs · 2` bytes apart. */
  values: usize;
  /** `[rows, inputs / 32]` float32. */
  scale: usize;
  /** The same shape: the sum of a group's values. */
  sum: usize;
}

const GROUP = 32;
/** Output rows that are widened at once for many rows of x. */
export const PANEL_ROWS = 12;
/** From this many rows of x on, widening weights once for all of them pays: grouped weights, and plain ones. */
const PANEL_FROM_ROWS = 4;
const PLAIN_PANEL_FROM_ROWS = 3;

// @ts-ignore: decorator
@inline
export function isGrouped(linear: Linear): bool {
  return linear.format >= Format.Q8;
}

/** The largest number that activations are rounded to: sums of a group's products then stay within 32 bits. */
export function mostOf(linear: Linear): f32 {
  return linear.format == Format.Q16 ? 16383 : 32767;
}

/**
 * Rows `from` to before `to` of x (`stride` bytes apart) as 16-bit groups.
 *
 * @param most - what a group's largest value becomes, `mostOf` the weights that they meet.
 */
export function round(x: usize, stride: i32, inputs: i32, out: Rounded, from: i32, to: i32, most: f32): void {
  const groups = inputs / GROUP;
  for (let row = from; row < to; row++) {
    for (let group = 0; group < groups; group++) {
      const source = x + row * stride + group * (GROUP << 2);
      let greatest = f32x4.splat(0);
      for (let at = 0; at < GROUP << 2; at += 16) greatest = f32x4.max(greatest, f32x4.abs(v128.load(source + at)));
      const largest = greatestOf(greatest);
      const inverse = f32x4.splat(largest > 0 ? most / largest : 0);
      let sums = i32x4.splat(0);
      const target = out.values + row * (inputs << 1) + group * (GROUP << 1);
      for (let i = 0; i < GROUP; i += 8) {
        const low = f32x4.nearest(f32x4.mul(v128.load(source + (i << 2)), inverse));
        const high = f32x4.nearest(f32x4.mul(v128.load(source + (i << 2), 16), inverse));
        const numbers = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high));
        v128.store(target + (i << 1), numbers);
        sums = i32x4.add(sums, i32x4.dot_i16x8_s(numbers, i16x8.splat(1)));
      }
      const at = (row * groups + group) << 2;
      store<f32>(out.scale + at, largest / most);
      // Of what was rounded, not of x: so the errors of `scale · number` and of `least` undo each other.
      store<f32>(out.sum + at, sumOf(f32x4.convert_i32x4_s(sums)) * (largest / most));
    }
  }
}

/**
 * Outputs `from` to before `to` (multiples of 4, or the end) for all rows of x.
 *
 * @param x - float32 rows `xStride` bytes apart, zeros behind `inputs`; not read by grouped weights.
 * @param rounded - the same rows by `round`; not read by others.
 * @param out - row r's output o goes to `out + r · outStride + o · 4`.
 * @param isSum - adds to what is there.
 * @param panel - room for `PANEL_ROWS` rows of float32 inputs, this thread's own.
 */
export function product(
  linear: Linear,
  x: usize,
  xStride: i32,
  rounded: Rounded,
  rows: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
  panel: usize,
  from: i32,
  to: i32,
): void {
  if (isGrouped(linear)) {
    if (linear.format == Format.Q16) {
      for (let output = from; output < to; output += 4) {
        groupedPanel(linear, rounded, rows, linear.weight + output * linear.rowBytes, output, out, outStride, isSum);
      }
    } else if (rows < PANEL_FROM_ROWS) {
      for (let row = 0; row < rows; row++) groupedRow(linear, rounded, row, out + row * outStride, isSum, from, to);
    } else {
      for (let output = from; output < to; output += 4) {
        widenToI16(linear, output, panel);
        groupedPanel(linear, rounded, rows, panel, output, out, outStride, isSum);
      }
    }
    return;
  }
  if (rows < PLAIN_PANEL_FROM_ROWS) {
    for (let row = 0; row < rows; row++) {
      plainRow(linear, x + row * xStride, out + row * outStride, isSum, from, to);
    }
    return;
  }
  const columns = (linear.inputs + 3) & ~3;
  for (let output = from; output < to; output += PANEL_ROWS) {
    const count = min(PANEL_ROWS, to - output);
    let source = linear.weight + output * linear.rowBytes;
    let stride = linear.rowBytes;
    if (linear.format != Format.F32) {
      for (let i = 0; i < count; i++) decodeRow(linear, output + i, panel + i * (columns << 2));
      source = panel;
      stride = columns << 2;
    }
    // Tiles of three rows, and what is left in one of its own size: rows that are run twice cost as much as others.
    const whole = rows - (rows % 3);
    plainPanel(linear, x, xStride, whole, source, stride, columns, output, count, out, outStride, isSum);
    const lastX = x + whole * xStride;
    const lastOut = out + whole * outStride;
    if (rows - whole == 2) {
      plainPair(linear, lastX, xStride, source, stride, columns, output, count, lastOut, outStride, isSum);
    } else if (rows > whole) {
      for (let i = 0; i < count; i += 4) {
        const sums = fourSums(lastX, source + i * stride, stride, columns);
        finish(linear, sums, output + i, lastOut, isSum);
      }
    }
  }
}

/** One row of weights as float32, `inputs` values, zeros up to a whole vector. */
export function decodeRow(linear: Linear, row: i32, out: usize): void {
  const inputs = linear.inputs;
  const format = linear.format;
  const source = linear.weight + row * linear.rowBytes;
  if (format == Format.F32) {
    memory.copy(out, source, ((inputs + 3) & ~3) << 2);
    return;
  }
  if (format < Format.Q8) {
    for (let i = 0; i < inputs; i += 4) {
      const value = v128.load64_zero(source + (i << 1));
      v128.store(out + (i << 2), format == Format.F16 ? fromHalf(value) : fromBrain(value));
    }
    return;
  }
  const groups = inputs / GROUP;
  for (let group = 0; group < groups; group++) {
    const at = (((row >> 2) * groups + group) * 4 + (row & 3)) << 2;
    const scale = v128.load_splat<f32>(linear.scale + at);
    const least = linear.least == 0 ? f32x4.splat(0) : v128.load_splat<f32>(linear.least + at);
    for (let part = 0; part < 4; part++) {
      const values = partOf(linear, source, group, part);
      const target = out + group * 128 + part * 32;
      const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values));
      const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values));
      v128.store(target, f32x4.add(f32x4.mul(low, scale), least));
      v128.store(target, f32x4.add(f32x4.mul(high, scale), least), 16);
    }
  }
}

/** Four halves in the low lanes as float32: sign and fraction move to their places, 2^112 corrects the exponent. */
// @ts-ignore: decorator
@inline
function fromHalf(value: v128): v128 {
  const wide = i32x4.shl(i32x4.extend_low_i16x8_u(value), 16);
  const moved = v128.and(i32x4.shr_s(wide, 3), i32x4.splat(0x8fffffff));
  return f32x4.mul(moved, f32x4.splat(5.192296858534828e33));
}

// @ts-ignore: decorator
@inline
function fromBrain(value: v128): v128 {
  return i32x4.shl(i32x4.extend_low_i16x8_u(value), 16);
}

/** Eight whole numbers of a group of a row, in their order: part 0 to 3. */
// @ts-ignore: decorator
@inline
function partOf(linear: Linear, row: usize, group: i32, part: i32): v128 {
  if (linear.format == Format.Q16) return v128.load(row + group * 64 + part * 16);
  if (linear.format == Format.Q8) return v128.load_ext<i8>(row + group * 32 + part * 8);
  const pairs = v128.load_ext<u8>(row + group * 16 + (part & 1) * 8);
  return part < 2 ? v128.and(pairs, i16x8.splat(15)) : i16x8.shr_u(pairs, 4);
}

/** Four rows of grouped weights as `[4, inputs]` int16. */
function widenToI16(linear: Linear, output: i32, panel: usize): void {
  const inputs = linear.inputs;
  const groups = inputs / GROUP;
  for (let i = 0; i < 4; i++) {
    const source = linear.weight + (output + i) * linear.rowBytes;
    const target = panel + i * (inputs << 1);
    for (let group = 0; group < groups; group++) {
      for (let part = 0; part < 4; part++) {
        v128.store(target + group * 64 + part * 16, partOf(linear, source, group, part));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function finish(linear: Linear, sums: v128, output: i32, out: usize, isSum: bool): void {
  const count = linear.outputs - output;
  let result = sums;
  if (linear.bias != 0) result = f32x4.add(result, v128.load(linear.bias + (output << 2)));
  const at = out + (output << 2);
  if (isSum) {
    // What lies behind the last output is read, too, and not written.
    result = f32x4.add(result, v128.load(at));
  }
  storeLanes(at, result, count);
}

/** Four outputs for many rows of x, weights widened before. */
function groupedPanel(
  linear: Linear,
  rounded: Rounded,
  rows: i32,
  panel: usize,
  output: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
): void {
  const inputs = linear.inputs;
  const groups = inputs / GROUP;
  const rowBytes = inputs << 1;
  const scale = linear.scale + ((output >> 2) * groups << 4);
  const least: usize = linear.least == 0 ? 0 : linear.least + ((output >> 2) * groups << 4);
  const p1 = panel + rowBytes;
  const p2 = p1 + rowBytes;
  const p3 = p2 + rowBytes;
  for (let row = 0; row < rows; row += 2) {
    const other = min(row + 1, rows - 1);
    const xa = rounded.values + row * rowBytes;
    const xb = rounded.values + other * rowBytes;
    const scaleA = rounded.scale + (row * groups << 2);
    const scaleB = rounded.scale + (other * groups << 2);
    const sumA = rounded.sum + (row * groups << 2);
    const sumB = rounded.sum + (other * groups << 2);
    let totalA = f32x4.splat(0);
    let totalB = f32x4.splat(0);
    for (let group = 0; group < groups; group++) {
      const begin = group << 6;
      let a = v128.load(xa + begin);
      let b = v128.load(xb + begin);
      let w = v128.load(panel + begin);
      let a0 = i32x4.dot_i16x8_s(w, a);
      let b0 = i32x4.dot_i16x8_s(w, b);
      w = v128.load(p1 + begin);
      let a1 = i32x4.dot_i16x8_s(w, a);
      let b1 = i32x4.dot_i16x8_s(w, b);
      w = v128.load(p2 + begin);
      let a2 = i32x4.dot_i16x8_s(w, a);
      let b2 = i32x4.dot_i16x8_s(w, b);
      w = v128.load(p3 + begin);
      let a3 = i32x4.dot_i16x8_s(w, a);
      let b3 = i32x4.dot_i16x8_s(w, b);
      for (let at = begin + 16; at < begin + 64; at += 16) {
        a = v128.load(xa + at);
        b = v128.load(xb + at);
        w = v128.load(panel + at);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(w, a));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w, b));
        w = v128.load(p1 + at);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(w, a));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w, b));
        w = v128.load(p2 + at);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(w, a));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(w, b));
        w = v128.load(p3 + at);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(w, a));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(w, b));
      }
      const scales = v128.load(scale + (group << 4));
      const wholeA = f32x4.convert_i32x4_s(sumLanesI32(a0, a1, a2, a3));
      const wholeB = f32x4.convert_i32x4_s(sumLanesI32(b0, b1, b2, b3));
      const at = group << 2;
      totalA = f32x4.add(totalA, f32x4.mul(wholeA, f32x4.mul(scales, v128.load_splat<f32>(scaleA + at))));
      totalB = f32x4.add(totalB, f32x4.mul(wholeB, f32x4.mul(scales, v128.load_splat<f32>(scaleB + at))));
      if (least != 0) {
        const offset = v128.load(least + (group << 4));
        totalA = f32x4.add(totalA, f32x4.mul(offset, v128.load_splat<f32>(sumA + at)));
        totalB = f32x4.add(totalB, f32x4.mul(offset, v128.load_splat<f32>(sumB + at)));
      }
    }
    finish(linear, totalA, output, out + row * outStride, isSum);
    if (other != row) finish(linear, totalB, output, out + other * outStride, isSum);
  }
}

/** All outputs for one row of x, weights straight from where they lie. */
function groupedRow(
  linear: Linear,
  rounded: Rounded,
  row: i32,
  out: usize,
  isSum: bool,
  from: i32,
  to: i32,
): void {
  const inputs = linear.inputs;
  const groups = inputs / GROUP;
  const x = rounded.values + row * (inputs << 1);
  const xScale = rounded.scale + (row * groups << 2);
  const xSum = rounded.sum + (row * groups << 2);
  const rowBytes = linear.rowBytes;
  const isEight = linear.format == Format.Q8;
  for (let output = from; output < to; output += 4) {
    const weight = linear.weight + output * rowBytes;
    const scale = linear.scale + ((output >> 2) * groups << 4);
    const least: usize = linear.least == 0 ? 0 : linear.least + ((output >> 2) * groups << 4);
    let total = f32x4.splat(0);
    for (let group = 0; group < groups; group++) {
      const at = x + (group << 6);
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      const x2 = v128.load(at, 32);
      const x3 = v128.load(at, 48);
      let sums: v128;
      if (isEight) {
        const w = weight + (group << 5);
        sums = sumLanesI32(
          dotEight(w, x0, x1, x2, x3),
          dotEight(w + rowBytes, x0, x1, x2, x3),
          dotEight(w + 2 * rowBytes, x0, x1, x2, x3),
          dotEight(w + 3 * rowBytes, x0, x1, x2, x3),
        );
      } else {
        const w = weight + (group << 4);
        sums = sumLanesI32(
          dotFour(w, x0, x1, x2, x3),
          dotFour(w + rowBytes, x0, x1, x2, x3),
          dotFour(w + 2 * rowBytes, x0, x1, x2, x3),
          dotFour(w + 3 * rowBytes, x0, x1, x2, x3),
        );
      }
      const scales = f32x4.mul(v128.load(scale + (group << 4)), v128.load_splat<f32>(xScale + (group << 2)));
      total = f32x4.add(total, f32x4.mul(f32x4.convert_i32x4_s(sums), scales));
      if (least != 0) {
        const offset = v128.load(least + (group << 4));
        total = f32x4.add(total, f32x4.mul(offset, v128.load_splat<f32>(xSum + (group << 2))));
      }
    }
    finish(linear, total, output, out, isSum);
  }
}

// @ts-ignore: decorator
@inline
function dotEight(w: usize, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const first = i32x4.add(
    i32x4.dot_i16x8_s(v128.load_ext<i8>(w), x0),
    i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 8), x1),
  );
  const second = i32x4.add(
    i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 16), x2),
    i32x4.dot_i16x8_s(v128.load_ext<i8>(w, 24), x3),
  );
  return i32x4.add(first, second);
}

/** Byte i of a group holds value i in its low half and value 16 + i in its high half. */
// @ts-ignore: decorator
@inline
function dotFour(w: usize, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const mask = i16x8.splat(15);
  const front = v128.load_ext<u8>(w);
  const back = v128.load_ext<u8>(w, 8);
  const low = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(front, mask), x0),
    i32x4.dot_i16x8_s(v128.and(back, mask), x1),
  );
  const high = i32x4.add(
    i32x4.dot_i16x8_s(i16x8.shr_u(front, 4), x2),
    i32x4.dot_i16x8_s(i16x8.shr_u(back, 4), x3),
  );
  return i32x4.add(low, high);
}

/** One row of x with four rows of float32 weights, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function fourSums(x: usize, w0: usize, stride: i32, columns: i32): v128 {
  const w1 = w0 + stride;
  const w2 = w1 + stride;
  const w3 = w2 + stride;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let at = 0; at < columns << 2; at += 16) {
    const value = v128.load(x + at);
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(w0 + at)));
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(w1 + at)));
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(w2 + at)));
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(w3 + at)));
  }
  return sumLanes(s0, s1, s2, s3);
}

/** All outputs for one row of x, weights of whole numbers of bytes. */
function plainRow(linear: Linear, x: usize, out: usize, isSum: bool, from: i32, to: i32): void {
  const columns = (linear.inputs + 3) & ~3;
  const stride = linear.rowBytes;
  const format = linear.format;
  for (let output = from; output < to; output += 4) {
    const w0 = linear.weight + output * stride;
    if (format == Format.F32) {
      finish(linear, fourSums(x, w0, stride, columns), output, out, isSum);
      continue;
    }
    const w1 = w0 + stride;
    const w2 = w1 + stride;
    const w3 = w2 + stride;
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    if (format == Format.F16) {
      for (let at = 0; at < columns << 1; at += 8) {
        const value = v128.load(x + (at << 1));
        s0 = f32x4.add(s0, f32x4.mul(value, fromHalf(v128.load64_zero(w0 + at))));
        s1 = f32x4.add(s1, f32x4.mul(value, fromHalf(v128.load64_zero(w1 + at))));
        s2 = f32x4.add(s2, f32x4.mul(value, fromHalf(v128.load64_zero(w2 + at))));
        s3 = f32x4.add(s3, f32x4.mul(value, fromHalf(v128.load64_zero(w3 + at))));
      }
    } else {
      for (let at = 0; at < columns << 1; at += 8) {
        const value = v128.load(x + (at << 1));
        s0 = f32x4.add(s0, f32x4.mul(value, fromBrain(v128.load64_zero(w0 + at))));
        s1 = f32x4.add(s1, f32x4.mul(value, fromBrain(v128.load64_zero(w1 + at))));
        s2 = f32x4.add(s2, f32x4.mul(value, fromBrain(v128.load64_zero(w2 + at))));
        s3 = f32x4.add(s3, f32x4.mul(value, fromBrain(v128.load64_zero(w3 + at))));
      }
    }
    finish(linear, sumLanes(s0, s1, s2, s3), output, out, isSum);
  }
}

/** Up to `PANEL_ROWS` outputs for a multiple of three rows of x, float32 weights: tiles of three rows and four outputs. */
function plainPanel(
  linear: Linear,
  x: usize,
  xStride: i32,
  rows: i32,
  source: usize,
  stride: i32,
  columns: i32,
  output: i32,
  count: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
): void {
  const bytes = columns << 2;
  for (let row = 0; row < rows; row += 3) {
    const xa = x + row * xStride;
    const xb = xa + xStride;
    const xc = xb + xStride;
    const outs = out + row * outStride;
    for (let i = 0; i < count; i += 4) {
      const w0 = source + i * stride;
      const w1 = w0 + stride;
      const w2 = w1 + stride;
      const w3 = w2 + stride;
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      let c0 = a0;
      let c1 = a0;
      let c2 = a0;
      let c3 = a0;
      for (let at = 0; at < bytes; at += 16) {
        const a = v128.load(xa + at);
        const b = v128.load(xb + at);
        const c = v128.load(xc + at);
        let w = v128.load(w0 + at);
        a0 = f32x4.add(a0, f32x4.mul(a, w));
        b0 = f32x4.add(b0, f32x4.mul(b, w));
        c0 = f32x4.add(c0, f32x4.mul(c, w));
        w = v128.load(w1 + at);
        a1 = f32x4.add(a1, f32x4.mul(a, w));
        b1 = f32x4.add(b1, f32x4.mul(b, w));
        c1 = f32x4.add(c1, f32x4.mul(c, w));
        w = v128.load(w2 + at);
        a2 = f32x4.add(a2, f32x4.mul(a, w));
        b2 = f32x4.add(b2, f32x4.mul(b, w));
        c2 = f32x4.add(c2, f32x4.mul(c, w));
        w = v128.load(w3 + at);
        a3 = f32x4.add(a3, f32x4.mul(a, w));
        b3 = f32x4.add(b3, f32x4.mul(b, w));
        c3 = f32x4.add(c3, f32x4.mul(c, w));
      }
      finish(linear, sumLanes(a0, a1, a2, a3), output + i, outs, isSum);
      finish(linear, sumLanes(b0, b1, b2, b3), output + i, outs + outStride, isSum);
      finish(linear, sumLanes(c0, c1, c2, c3), output + i, outs + 2 * outStride, isSum);
    }
  }
}

/** The same for two rows. */
function plainPair(
  linear: Linear,
  x: usize,
  xStride: i32,
  source: usize,
  stride: i32,
  columns: i32,
  output: i32,
  count: i32,
  out: usize,
  outStride: i32,
  isSum: bool,
): void {
  const xb = x + xStride;
  for (let i = 0; i < count; i += 4) {
    const w0 = source + i * stride;
    const w1 = w0 + stride;
    const w2 = w1 + stride;
    const w3 = w2 + stride;
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    for (let at = 0; at < columns << 2; at += 16) {
      const a = v128.load(x + at);
      const b = v128.load(xb + at);
      let w = v128.load(w0 + at);
      a0 = f32x4.add(a0, f32x4.mul(a, w));
      b0 = f32x4.add(b0, f32x4.mul(b, w));
      w = v128.load(w1 + at);
      a1 = f32x4.add(a1, f32x4.mul(a, w));
      b1 = f32x4.add(b1, f32x4.mul(b, w));
      w = v128.load(w2 + at);
      a2 = f32x4.add(a2, f32x4.mul(a, w));
      b2 = f32x4.add(b2, f32x4.mul(b, w));
      w = v128.load(w3 + at);
      a3 = f32x4.add(a3, f32x4.mul(a, w));
      b3 = f32x4.add(b3, f32x4.mul(b, w));
    }
    finish(linear, sumLanes(a0, a1, a2, a3), output + i, out, isSum);
    finish(linear, sumLanes(b0, b1, b2, b3), output + i, out + outStride, isSum);
  }
}

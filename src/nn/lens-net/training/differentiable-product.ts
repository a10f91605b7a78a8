/**
 * Matrix products for training. TensorFlow.js's own gradient of a product multiplies by transposed operands,
 * which WASM and WebGPU do an order of magnitude slower than transposing first.
 */
import * as tf from '@tensorflow/tfjs';

/** `[n, k] · [k, m]`. */
export function product(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  const multiply = tf.customGrad((x, y, save) => {
    const [left, right] = [x as tf.Tensor2D, y as tf.Tensor2D];
    (save as tf.GradSaveFunc)([left, right]);
    return {
      value: tf.matMul(left, right),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [l, r] = saved as [tf.Tensor2D, tf.Tensor2D];
        return [tf.matMul(dy, tf.transpose(r)), tf.matMul(tf.transpose(l), dy)];
      },
    };
  });
  return multiply(a, b) as tf.Tensor2D;
}

/** The same, where the left side is data: nobody asks for its gradient. */
export function productOfData(data: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor2D {
  const multiply = tf.customGrad((right, save) => {
    // What is not saved is gone before the gradient is taken.
    (save as tf.GradSaveFunc)([data]);
    return {
      value: tf.matMul(data, right as tf.Tensor2D),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.matMul(tf.transpose(saved[0]!), dy),
    };
  });
  return multiply(x) as tf.Tensor2D;
}

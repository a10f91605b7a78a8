/** The probe of `throughput.ts` in TensorFlow.js, on the backend that it runs on. */
import * as tf from '@tensorflow/tfjs';
import type { PreparedWork, ThroughputProbe } from './throughput-probe.ts';

export class TensorProbe implements ThroughputProbe {
  readonly startedAtOnce = 64;

  product(rows: number, inputs: number, outputs: number): PreparedWork {
    const a = tf.ones([rows, inputs]);
    const b = tf.ones([inputs, outputs]);
    return {
      run: async () => {
        const products = tf.matMul(a, b);
        await products.data();
        products.dispose();
      },
      dispose: () => {
        tf.dispose([a, b]);
      },
    };
  }

  starts(): PreparedWork {
    const one = tf.ones([1]);
    return {
      run: async () => {
        const last = tf.tidy(() => {
          let x: tf.Tensor = one;
          for (let i = 0; i < this.startedAtOnce; i++) x = tf.add(x, one);
          return x;
        });
        await last.data();
        last.dispose();
      },
      dispose: () => {
        one.dispose();
      },
    };
  }
}

/** Keeps hold of every GPU device that this worker asks for, and destroys or starves them in mid-answer when a test says so. */
const CHANNEL = 'test-gpu';

const devices: GPUDevice[] = [];
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...parameters) {
  const device = await requestDevice.apply(this, parameters);
  devices.push(device);
  return device;
};

/** Reads of the device after which it is lost: what an answer's first tokens are chosen from. */
const READS_BEFORE = 3;
let armed: 'destroy' | 'starve' | null = null;
let reads = 0;

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const { mapAsync } = GPUBuffer.prototype;
GPUBuffer.prototype.mapAsync = function (this: GPUBuffer, ...parameters) {
  if (armed !== null && ++reads === READS_BEFORE) lose(armed);
  return mapAsync.apply(this, parameters);
};

function lose(fault: 'destroy' | 'starve'): void {
  for (const device of devices) {
    if (fault === 'destroy') device.destroy();
    else {
      const error = new GPUOutOfMemoryError('No memory is left on the device.');
      device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
    }
  }
}

new BroadcastChannel(CHANNEL).onmessage = ({ data }: MessageEvent<'destroy' | 'starve'>) => {
  armed = data;
};

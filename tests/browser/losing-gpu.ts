/** Keeps hold of every GPU device that this worker asks for, and destroys or starves them when a test says so. */
const CHANNEL = 'test-gpu';

const devices: GPUDevice[] = [];
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...parameters) {
  const device = await requestDevice.apply(this, parameters);
  devices.push(device);
  return device;
};

new BroadcastChannel(CHANNEL).onmessage = ({ data }: MessageEvent<'destroy' | 'starve'>) => {
  for (const device of devices) {
    if (data === 'destroy') device.destroy();
    else {
      const error = new GPUOutOfMemoryError('No memory is left on the device.');
      device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
    }
  }
};

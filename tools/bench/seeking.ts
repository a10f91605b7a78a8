/**
 * Runs in the page: go to one step after the other by the slider, each drawn before the next.
 *
 * @returns what each took, in milliseconds.
 */
export async function seekThrough([lastStep, seeks]: readonly [number, number]): Promise<number[]> {
  const slider = document.querySelector<HTMLInputElement>('input[aria-label="Step"]')!;
  const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!;
  const took: number[] = [];
  for (let i = 1; i <= seeks; i++) {
    const from = performance.now();
    value.set!.call(slider, String(Math.floor((lastStep * i) / seeks)));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    took.push(performance.now() - from);
  }
  return took;
}

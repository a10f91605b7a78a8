/** What this page lacks where it is served, in words. Pure. */

/** What is looked at of the page's global object. */
export interface PageFeatures {
  readonly isSecureContext?: boolean;
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: {
    readonly locks?: unknown;
    readonly storage?: { readonly persist?: unknown } | undefined;
    readonly gpu?: unknown;
  };
}

/** A sentence for each thing that is missing and what comes of it; none where all is there. */
export function missingFeatures({
  isSecureContext,
  crossOriginIsolated,
  navigator,
}: PageFeatures): readonly string[] {
  const missing: string[] = [];
  if (isSecureContext === false) {
    missing.push(
      'The page came over plain HTTP: browsers keep WebGPU and some of what follows for HTTPS and localhost.',
    );
  }
  if (navigator?.gpu === undefined) missing.push('WebGPU is missing: the model runs on the processor.');
  if (crossOriginIsolated !== true)
    missing.push(
      'WASM threads are missing, as the page is not cross-origin isolated: the processor works with one core.',
    );
  if (navigator?.locks === undefined) {
    missing.push('Web Locks are missing: do not open one session in two tabs, both would write it.');
  }
  if (navigator?.storage?.persist === undefined) {
    missing.push('Persistent storage is missing: the browser may clear sessions when the disk is full.');
  }
  return missing;
}

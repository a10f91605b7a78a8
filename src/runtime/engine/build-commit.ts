/** Which commit the code was built from, as vite.config.ts found it. Under Node nobody built anything: null. */

declare const __BUILD_COMMIT__: string | null | undefined;

export const BUILD_COMMIT: string | null =
  typeof __BUILD_COMMIT__ === 'undefined' ? null : (__BUILD_COMMIT__ ?? null);

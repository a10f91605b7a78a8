/**
 * The only way from a text to a script, in the page and in the engine's worker: addresses of their own origin, for workers. With
 * `require-trusted-types-for 'script'` every other one, and every text that is to become HTML or code, is refused by
 * the browser.
 */
interface TrustedTypes {
  createPolicy(name: string, rules: { readonly createScriptURL: (address: string) => string }): unknown;
}

/** Before the first worker is made. Browsers without Trusted Types need nothing. */
export function trustOwnScripts(page: {
  readonly trustedTypes?: TrustedTypes;
  readonly location: Location;
}): void {
  const { trustedTypes, location } = page;
  trustedTypes?.createPolicy('default', {
    createScriptURL: (address) => {
      if (new URL(address, location.href).origin === location.origin) return address;
      throw new TypeError(`${address} is no script of this page.`);
    },
  });
}

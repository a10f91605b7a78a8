/** Stands where a figure would, and says why there is none to whoever points at it or reads it out. */
export function Missing({ why }: { readonly why: string }) {
  return (
    <abbr className="missing" title={why} aria-label={`None: ${why}`}>
      –
    </abbr>
  );
}

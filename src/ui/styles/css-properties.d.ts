/** Lets style objects carry the custom properties that the stylesheets read. */
import 'react';

declare module 'react' {
  interface CSSProperties {
    '--filled'?: string;
    '--gutter'?: string;
    '--left-width'?: string;
    '--plot-width'?: string;
    '--right-width'?: string;
    '--share'?: number;
    '--swatch'?: string;
  }
}

/**
 * Imported first by every entry: the schema library would otherwise try to compile its checks with `new Function`,
 * which the page's Content Security Policy forbids and reports. It decides when a schema is made.
 */
import { z } from 'zod';

z.config({ jitless: true });

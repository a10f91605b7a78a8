/**
 * The schema library, told before any schema is made that it must not compile its checks with `new Function`, which
 * the page's Content Security Policy forbids and reports. Every schema takes `z` from here: a bundler may put schemas
 * into a chunk that runs before the entry's own first line.
 */
import { z } from 'zod';

z.config({ jitless: true });

export { z };

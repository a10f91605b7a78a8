/**
 * Renders a Jinja template of unknown origin within limits: it ends, it stays small, and it reaches nothing but what
 * it is given. Throws what the template throws.
 */
import { Environment, Interpreter, Template } from '@huggingface/jinja';

/** Far above what published chat templates take for a short dialogue (a few thousand). */
const MOST_WORK = 1_000_000;
/** Characters or items of one value on the way. */
const LARGEST_VALUE = 65_536;
const LONGEST_RANGE = 4096;

type Evaluate = Interpreter['evaluate'];

/** Counts every expression and statement, and what it yields. */
class BoundedInterpreter extends Interpreter {
  private work = 0;

  override evaluate(...parameters: Parameters<Evaluate>): ReturnType<Evaluate> {
    this.count(0);
    const result = super.evaluate(...parameters);
    const { value } = result as { readonly value: unknown };
    if (typeof value === 'string' || Array.isArray(value)) this.count(value.length);
    return result;
  }

  /** Reading a value costs by its size, so that a large one is not searched a million times. */
  private count(size: number): void {
    if (size > LARGEST_VALUE)
      throw new RangeError(`it makes a value of more than ${LARGEST_VALUE} characters`);
    this.work += 1 + (size >> 4);
    if (this.work > MOST_WORK) throw new RangeError(`it takes more than ${MOST_WORK} steps`);
  }
}

/** As Python's; the library's own would fill the memory before anything could be counted. */
function boundedRange(start: number, stop?: number | null, step?: number | null): number[] {
  const [from, to] = stop === undefined || stop === null ? [0, start] : [start, stop];
  const by = step ?? 1;
  const count = Math.ceil((to - from) / by);
  if (!Number.isFinite(count)) throw new RangeError('range() needs whole numbers and a step');
  if (count > LONGEST_RANGE) throw new RangeError(`range() is longer than ${LONGEST_RANGE}`);
  return Array.from({ length: Math.max(0, count) }, (_, index) => from + index * by);
}

/** What a template finds besides its own values: the names that the library itself gives. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: string) => {
    throw new Error(message);
  },
  range: boundedRange,
  strftime_now: (format: string) => new Template('{{ strftime_now(format) }}').render({ format }),
};

/**
 * @param source - parsed at once.
 * @returns renders the template with these values; the limits hold for each rendering.
 */
export function boundedTemplate(source: string): (values: Readonly<Record<string, unknown>>) => string {
  const { parsed } = new Template(source);
  return (values) => {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...GLOBALS, ...values })) environment.set(name, value);
    const rendered = new BoundedInterpreter(environment).run(parsed) as { readonly value: unknown };
    return String(rendered.value);
  };
}

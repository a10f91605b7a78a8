/** The texts of spans of a compared run, from whoever keeps them. */
import type { ComparedSource } from './compared-source.ts';

type Spans = readonly (readonly [start: number, end: number])[];

/** Where a run keeps no text, and where it cannot be read: what the model wrote, which every trace knows. */
export async function readTexts({ run, texts }: ComparedSource, spans: Spans): Promise<readonly string[]> {
  const written = () =>
    spans.map(([start, end]) => {
      let text = '';
      for (let tokenIndex = start; tokenIndex < end; tokenIndex++)
        text += run.decodedAt(tokenIndex)?.text ?? '';
      return text;
    });
  return texts ? texts(spans).catch(written) : written();
}

/** A file of question records: what it holds, which of it is listed, and opening one question on the timeline. */
import { createStore } from 'zustand';
import { historyText } from '../../core/question-records/history-text.ts';
import type { QuestionSummary, RecordsHeader } from '../../core/question-records/record.ts';
import {
  readHeader,
  readHistory,
  readLine,
  readQuestion,
  RecordsError,
} from '../../core/question-records/records-file.ts';
import { traceOf } from '../../core/question-records/record-trace.ts';
import { type FileLine, fileLines } from './files/file-lines.ts';
import type { Problems } from './problems.ts';
import type { ReadableStore } from './readable-store.ts';
import type { Recordings } from './recordings.ts';
import type { Shell } from './shell.ts';

/** Where a line stands. */
type LinePlace = Omit<FileLine, 'text'>;

interface OpenRecords {
  readonly file: File;
  readonly header: RecordsHeader;
  readonly questions: readonly QuestionSummary[];
  /** What was left out, in words. */
  readonly notes: readonly string[];
}

/** Which questions are listed; null stands for all. */
export interface QuestionFilter {
  readonly onlyWrong: boolean;
  readonly suite: string | null;
  readonly task: string | null;
  readonly policy: string | null;
  readonly templates: string | null;
  readonly historyTokens: number | null;
}

export interface QuestionRecordsState {
  readonly reading: { readonly fileName: string; readonly share: number } | null;
  readonly records: OpenRecords | null;
  readonly filter: QuestionFilter;
}

export const EVERY_QUESTION: QuestionFilter = {
  onlyWrong: false,
  suite: null,
  task: null,
  policy: null,
  templates: null,
  historyTokens: null,
};

interface Parts {
  readonly recordings: Recordings;
  readonly shell: Shell;
  readonly problems: Problems;
}

export class QuestionRecords {
  readonly #store = createStore<QuestionRecordsState>()(() => ({
    reading: null,
    records: null,
    filter: EVERY_QUESTION,
  }));
  readonly #parts: Parts;
  #questionPlaces: readonly LinePlace[] = [];
  #historyPlaces: ReadonlyMap<string, LinePlace> = new Map();
  /** Counts what was asked to be shown: the last one wins. */
  #asked = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get store(): ReadableStore<QuestionRecordsState> {
    return this.#store;
  }

  /** The places in `questions` that the filter leaves, in the file's order. */
  get listed(): readonly number[] {
    const { records, filter } = this.#store.getState();
    return listedOf(records?.questions ?? [], filter);
  }

  /**
   * Read a file and list its questions. What stands before a fault is listed, too.
   *
   * @returns whether there is a list now; a fault is reported.
   */
  async open(file: File, filter: QuestionFilter = { ...EVERY_QUESTION, onlyWrong: true }): Promise<boolean> {
    const { problems, shell } = this.#parts;
    const asked = ++this.#asked;
    const questions: QuestionSummary[] = [];
    const questionPlaces: LinePlace[] = [];
    const historyPlaces = new Map<string, LinePlace>();
    const notes: string[] = [];
    let header: RecordsHeader | null = null;
    this.#store.setState({ reading: { fileName: file.name, share: 0 } });
    try {
      for await (const line of fileLines(file)) {
        if (asked !== this.#asked) return false;
        if (header === null) {
          header = readHeader(line.text, file.name);
          continue;
        }
        const { text, ...place } = line;
        let read: ReturnType<typeof readLine>;
        try {
          read = readLine(text, line.number, file.name);
        } catch (error) {
          if (line.isWhole || !(error instanceof RecordsError)) throw error;
          notes.push('Its last line is unfinished and was left out.');
          break;
        }
        if (read.kind === 'history') historyPlaces.set(read.history, place);
        else {
          questions.push(read);
          questionPlaces.push(place);
        }
        this.#store.setState({ reading: { fileName: file.name, share: line.end / file.size } });
      }
      if (header === null) throw new RecordsError(`${file.name} is empty.`);
    } catch (error) {
      problems.reportError(`${file.name} could not be read to its end`, error);
    } finally {
      if (asked === this.#asked) this.#store.setState({ reading: null });
    }
    if (header === null || questions.length === 0) return false;
    this.#questionPlaces = questionPlaces;
    this.#historyPlaces = historyPlaces;
    // A file without a wrong answer is listed whole.
    const isBare = listedOf(questions, filter).length === 0;
    this.#store.setState({
      records: { file, header, questions, notes },
      filter: isBare ? { ...filter, onlyWrong: false } : filter,
    });
    shell.setState({ rightTab: 'questions', rightOpen: true, mobileTab: 'questions' });
    return true;
  }

  changeFilter(changes: Partial<QuestionFilter>): void {
    this.#store.setState(({ filter }) => ({ filter: { ...filter, ...changes } }));
  }

  /** Show a question on the timeline. @param index - in `questions`. */
  async choose(index: number): Promise<void> {
    const { recordings, problems } = this.#parts;
    const { records } = this.#store.getState();
    const place = this.#questionPlaces[index];
    if (records === null || place === undefined) return;
    const { file, header } = records;
    const asked = ++this.#asked;
    try {
      const question = readQuestion(await textAt(file, place), place.number, file.name);
      const { history: name, policy } = question;
      const historyPlace = this.#historyPlaces.get(name);
      const history =
        historyPlace === undefined
          ? null
          : readHistory(await textAt(file, historyPlace), historyPlace.number, file.name);
      if (asked !== this.#asked) return;
      const title = `${name} · question ${question.question + 1} · ${policy}`;
      const trace = new File([traceOf(question, header)], `${title.replaceAll(/[^a-z0-9]+/gi, '-')}.jsonl`);
      const textOf = historyText(history, question);
      await recordings.open(trace, {
        comesForward: true,
        question: { index, title, record: question, textOf },
      });
    } catch (error) {
      problems.reportError('The question could not be shown', error);
    }
  }

  /** The next or previous of the listed questions; from none, the first. */
  async chooseNeighbour(direction: 1 | -1): Promise<void> {
    const { listed } = this;
    const shown = this.#parts.recordings.state.recording?.question?.index ?? null;
    const at = shown === null ? -1 : listed.findIndex((index) => index >= shown);
    const isListed = shown !== null && listed[at] === shown;
    const wanted =
      shown === null ? 0 : at < 0 ? listed.length - 1 : isListed || direction < 0 ? at + direction : at;
    const index = listed[wanted];
    if (index !== undefined) await this.choose(index);
  }

  /** Take the list away, and what is shown of it. */
  close(): void {
    const { recordings, shell } = this.#parts;
    this.#asked++;
    if (recordings.state.recording?.question) recordings.close();
    this.#store.setState({ records: null, reading: null, filter: EVERY_QUESTION });
    shell.setState(({ rightTab, mobileTab }) => ({
      rightTab: rightTab === 'questions' ? 'inspector' : rightTab,
      mobileTab: mobileTab === 'questions' ? 'timeline' : mobileTab,
    }));
  }
}

export function listedOf(questions: readonly QuestionSummary[], filter: QuestionFilter): number[] {
  const { onlyWrong, ...fields } = filter;
  const wanted = Object.entries(fields).filter(([, value]) => value !== null) as [
    keyof typeof fields,
    string | number,
  ][];
  return [...questions.keys()].filter((index) => {
    const question = questions[index]!;
    return !(onlyWrong && question.isAnswered) && wanted.every(([field, value]) => question[field] === value);
  });
}

function textAt(file: Blob, { start, end }: LinePlace): Promise<string> {
  return file.slice(start, end).text();
}

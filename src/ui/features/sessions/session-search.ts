/** Which sessions a search means: words of titles, tags and models, and one tag. Pure. */
import type { SessionRecord } from '../../../runtime/engine/protocol/protocol.ts';

export interface SessionSearch {
  /** Every word of it stands in the title, a tag or the model's name; capitals do not matter. */
  readonly words: string;
  readonly tag: string | null;
}

/** @returns those that it means, the newest change first. */
export function searchSessions(
  sessions: readonly SessionRecord[],
  { words, tag }: SessionSearch,
): readonly SessionRecord[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return sessions
    .filter(({ title, modelId, tags = [] }) => {
      const text = [title, modelId, ...tags].join('\n').toLocaleLowerCase();
      return (tag === null || tags.includes(tag)) && wanted.every((word) => text.includes(word));
    })
    .sort((a, b) => b.updatedAt - a.updatedAt);
}

/** Every tag that is in use, in the order of the alphabet. */
export function tagsOf(sessions: readonly SessionRecord[]): readonly string[] {
  const tags = new Set(sessions.flatMap((session) => session.tags ?? []));
  return [...tags].sort((a, b) => a.localeCompare(b));
}

/** The tags with one more; one that is there in other capitals stays as it is. */
export function withTag(tags: readonly string[], added: string): readonly string[] {
  const tag = added.trim();
  const isThere = tags.some((each) => each.toLocaleLowerCase() === tag.toLocaleLowerCase());
  return tag === '' || isThere ? tags : [...tags, tag];
}

/** A copy's name that no session has. */
export function copyTitle(title: string, sessions: readonly SessionRecord[]): string {
  const taken = new Set(sessions.map((session) => session.title));
  const base = `${title.slice(0, 100).trim()}, copy`;
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base} ${count}`;
    if (!taken.has(name)) return name;
  }
}

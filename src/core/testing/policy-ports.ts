/** A session that has a tree and nothing else, for the policies that ask for no more. */
import { HistoryWords } from '../lexical/history-words.ts';
import type { PolicyPorts } from '../policies/policy.ts';
import type { GistTree } from '../tree/gist-tree.ts';

export function policyPorts(tree: GistTree, pins: PolicyPorts['pins'] = () => []): PolicyPorts {
  const none = (what: string) => () => {
    throw new Error(`There is no ${what} here.`);
  };
  // Every token is a word.
  const words = new HistoryWords(tree, () => ({ push: (id) => ` w${id}` }));
  return { tree, pins, words, lensNet: none('LensNet'), withNll: none('base') };
}

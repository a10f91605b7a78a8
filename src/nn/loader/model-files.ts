/** What a set of files is as a model, by what is in them: a folder of ours, one in Hugging Face's layout, or GGUF. */
import { ModelSourceError } from '../model-folder/errors.ts';
import { HEADS_MANIFEST } from '../model-folder/heads-manifest.ts';
import type { ModelSource } from '../model-folder/model-source.ts';
import { type PublishedBase, readFolderBase, readGgufBase } from './published-base.ts';

const MOST_SNIFFED = 32;

/** @returns null for a folder with a manifest, which `loadModel` reads. */
export async function readModelFiles(
  source: ModelSource,
  names: readonly string[],
  title: string,
): Promise<PublishedBase | null> {
  if (names.includes('manifest.json')) return null;
  const hasSafetensors = names.some((name) => name.endsWith('.safetensors'));
  if (hasSafetensors && names.includes('config.json')) return readFolderBase(source, title);
  const gguf = await ggufNames(source, names);
  if (gguf.length === 1) return readGgufBase(source, gguf[0]!);
  throw new ModelSourceError(title, 'not-a-model-file', whatIsWrong(names, gguf, hasSafetensors));
}

async function ggufNames(source: ModelSource, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names.slice(0, MOST_SNIFFED)) {
    const head = (await source.open(name)).slice(0, 4);
    if (new TextDecoder().decode(head) === 'GGUF') found.push(name);
  }
  return found;
}

function whatIsWrong(names: readonly string[], gguf: readonly string[], hasSafetensors: boolean): string {
  if (gguf.some((name) => /-\d{5}-of-\d{5}/.test(name))) {
    return 'is a GGUF model in several files; one file is read (llama.cpp joins them: gguf-split --merge)';
  }
  if (gguf.length === 0 && names.includes(HEADS_MANIFEST)) {
    return 'holds heads and no base: choose the files of the base together with them';
  }
  if (gguf.length > 1) return `holds ${gguf.length} GGUF files; choose one of them`;
  if (hasSafetensors) {
    return 'safetensors files need config.json, tokenizer.json and tokenizer_config.json beside them: choose the whole folder';
  }
  if (names.some((name) => /\.(bin|pt|pth)$/.test(name))) {
    return 'holds PyTorch files, which can run code and are not read; a folder with safetensors, or a GGUF file, is';
  }
  return 'is no model: a GGUF file, or a folder with config.json, tokenizer.json, tokenizer_config.json and model.safetensors, is';
}

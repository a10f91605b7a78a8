/** Tells files that are a model from texts and traces, by their content; names help only where weights lie elsewhere. */

const HEAD_BYTES = 16;
const LARGEST_HEADER_BYTES = 2 ** 27;
const OF_A_MODEL = /\.(json|jinja|model|safetensors|gguf|bin|pt|pth)$/i;

/** Whether these files, chosen together, are a model. */
export async function areModel(files: readonly File[]): Promise<boolean> {
  const names = new Set(files.map(({ name }) => name));
  if (names.has('config.json') && names.has('tokenizer.json')) return true;
  for (const file of files) if (await isWeightFile(file)) return true;
  return false;
}

/** A model's files among those of its folder, and what people call it. */
export function modelOf(files: readonly File[]): { readonly name: string; readonly files: File[] } {
  const [first] = files;
  if (files.length === 1 && first !== undefined) {
    return { name: first.name.replace(/\.gguf$/i, ''), files: [first] };
  }
  const folder = files
    .map(({ webkitRelativePath }) => webkitRelativePath.split('/'))
    .find((path) => path.length > 1);
  return {
    name: folder?.[0] ?? 'Chosen folder',
    files: files.filter(
      ({ name, webkitRelativePath }) => isDirect(webkitRelativePath) && OF_A_MODEL.test(name),
    ),
  };
}

/** Not in a folder of the chosen folder. */
function isDirect(relativePath: string): boolean {
  return relativePath.split('/').length <= 2;
}

async function isWeightFile(file: Blob): Promise<boolean> {
  if (file.size < HEAD_BYTES) return false;
  let head: Uint8Array<ArrayBuffer>;
  try {
    head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch {
    // Whoever reads it says so.
    return false;
  }
  if (new TextDecoder().decode(head.subarray(0, 4)) === 'GGUF') return true;
  // Safetensors: the length of a JSON object, then the object.
  const headerBytes = new DataView(head.buffer).getBigUint64(0, true);
  return head[8] === '{'.charCodeAt(0) && headerBytes > 1n && headerBytes < BigInt(LARGEST_HEADER_BYTES);
}

/** Small texts in a file tree. */
import type { FileTree } from '../../../storage/files/file-tree.ts';

export async function writeText(tree: FileTree, path: string, text: string): Promise<void> {
  const out = await tree.openForAppend(path, 0);
  try {
    await out.write(new TextEncoder().encode(text));
  } finally {
    await out.close();
  }
}

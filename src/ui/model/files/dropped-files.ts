/** The files of a drop, those of dropped folders among them. */

/**
 * Must be called while the drop is handled: what was dropped is gone afterwards. Of a folder, the files that lie right
 * in it are taken, each with the folder's name in `webkitRelativePath`.
 */
export function droppedFiles(transfer: DataTransfer): Promise<readonly File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const folders = entries.filter((entry) => entry?.isDirectory === true);
  if (folders.length === 0) return Promise.resolve([...transfer.files]);
  const loose = entries.filter((entry) => entry?.isFile === true);
  return Promise.all([
    ...loose.map((entry) => fileOf(entry as FileSystemFileEntry).then((file) => [file])),
    ...folders.map((entry) => filesIn(entry as FileSystemDirectoryEntry)),
  ]).then((lists) => lists.flat());
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<readonly File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  for (;;) {
    // Browsers give a hundred entries at a time.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (entries.length === 0) return files;
    for (const entry of entries) {
      if (entry.isFile) files.push(inFolder(await fileOf(entry as FileSystemFileEntry), folder.name));
    }
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}

/** As the browser's own folder picker gives a file. */
function inFolder(file: File, folder: string): File {
  if (file.webkitRelativePath === '') {
    Object.defineProperty(file, 'webkitRelativePath', { value: `${folder}/${file.name}` });
  }
  return file;
}

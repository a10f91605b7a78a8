/** Gives the user a file to keep. */

/** The browser reads the file after the click's turn. */
const READ_WITHIN_MS = 60_000;

export function saveFile(fileName: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, READ_WITHIN_MS);
}

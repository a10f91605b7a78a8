/** Models from the user's own disk: one GGUF file, or a folder. */
import { FileUp, FolderOpen } from 'lucide-react';
import { useRef } from 'react';
import { useModel } from '../../view/hooks.ts';

export function FromDisk() {
  const { models } = useModel();
  const file = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) void models.choose(files);
  };
  return (
    <section aria-label="From disk">
      <h3>From disk</h3>
      <p className="muted small">
        A GGUF file, or a folder with config.json, tokenizer.json, tokenizer_config.json and safetensors. Or drop
        them anywhere on the page.
      </p>
      <div className="button-row">
        <button type="button" className="button" onClick={() => file.current?.click()}>
          <FileUp size={14} aria-hidden /> Choose a GGUF file
        </button>
        <button type="button" className="button" onClick={() => folder.current?.click()}>
          <FolderOpen size={14} aria-hidden /> Choose a folder
        </button>
      </div>
      <input
        ref={file}
        type="file"
        hidden
        aria-label="GGUF file"
        onChange={(event) => {
          take(event.target);
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        multiple
        {...{ webkitdirectory: '' }}
        aria-label="Model folder"
        onChange={(event) => {
          take(event.target);
        }}
      />
    </section>
  );
}

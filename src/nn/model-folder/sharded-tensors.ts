/** Several safetensors files read as one, by the index that Hugging Face writes beside them. */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { WeightError } from './errors.ts';
import type { FileBytes } from './file-bytes.ts';
import { SafetensorsFile } from './safetensors.ts';
import type { StoredMatrix, TensorFile } from './tensor-file.ts';

const MAX_SHARDS = 64;
const indexSchema = z.looseObject({
  weight_map: z.record(z.string(), z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)),
});

/** The shards that an index names, each once. @throws {WeightError} if it is no index. */
export function shardNames(index: unknown, file: string): readonly string[] {
  return [...new Set(Object.values(weightMap(index, file)))].sort();
}

export class ShardedTensors implements TensorFile {
  private readonly shards = new Map<string, SafetensorsFile>();
  private readonly shardOf: Readonly<Record<string, string>>;

  /**
   * @param index - the parsed index; `file` is its name.
   * @param files - every shard's bytes by name.
   * @throws {WeightError} if a shard is damaged or lacks what the index says is in it.
   */
  constructor(
    index: unknown,
    readonly file: string,
    files: ReadonlyMap<string, FileBytes>,
  ) {
    this.shardOf = weightMap(index, file);
    for (const [name, bytes] of files) this.shards.set(name, SafetensorsFile.parse(bytes, name));
    for (const [tensor, shard] of Object.entries(this.shardOf)) {
      if (this.shards.get(shard)?.has(tensor) !== true) {
        throw new WeightError(file, tensor, `is not in ${shard}, where the index says it is`);
      }
    }
  }

  get names(): readonly string[] {
    return Object.keys(this.shardOf);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.shardOf, name);
  }

  shape(name: string): readonly number[] {
    return this.shard(name).shape(name);
  }

  floats(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
    return this.shard(name).floats(name, shape);
  }

  stored(name: string, shape: readonly [number, number]): StoredMatrix {
    return this.shard(name).stored(name, shape);
  }

  private shard(name: string): SafetensorsFile {
    if (!this.has(name)) throw new WeightError(this.file, name, 'is missing');
    return this.shards.get(this.shardOf[name]!)!;
  }
}

function weightMap(index: unknown, file: string): Readonly<Record<string, string>> {
  const parsed = indexSchema.safeParse(index, IN_WORDS);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new WeightError(file, null, `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  }
  const shards = new Set(Object.values(parsed.data.weight_map)).size;
  if (shards > MAX_SHARDS)
    throw new WeightError(file, null, `names ${shards} files; at most ${MAX_SHARDS} are read`);
  return parsed.data.weight_map;
}

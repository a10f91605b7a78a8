// Gives the fuzzed strings of tests/fixtures/smollm2/tokens.json.gz the ids that llama.cpp makes of them.
//
//     npm install --no-save node-llama-cpp && node tools/llama-cpp-tokens.mjs FILE.gguf
//
// node-llama-cpp is no dependency of the project: nothing but this file needs it.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

const FILE = new URL('../tests/fixtures/smollm2/tokens.json.gz', import.meta.url);
const { getLlama } = await import('node-llama-cpp');
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true });
const model = await llama.loadModel({ modelPath: process.argv[2] });
const data = JSON.parse(gunzipSync(readFileSync(FILE)).toString());
data.ids = data.strings.map((text) => Array.from(model.tokenize(text, false)));
data.by = 'llama.cpp';
writeFileSync(FILE, gzipSync(Buffer.from(JSON.stringify(data)), { level: 9 }));

// Serves the playground on this machine and prints its address; opens a browser where there is a screen.
import { createServer } from 'vite';

const hasScreen = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
const open = hasScreen && process.stdout.isTTY && !process.env.CI;
const port = Number(process.env.PORT ?? 5173);

const server = await createServer({ server: { port, open } });
await server.listen();
console.log('\n  MegaContext Playground\n');
server.printUrls();
console.log('\n  Opens on an example that runs by itself. Ctrl+C stops the server.\n');

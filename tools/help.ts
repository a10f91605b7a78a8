/** What the tools under `npm run` have in common when somebody asks them what they take. */

/** Where the command line has `--help` or `-h`: print what the tool takes, and end well before anything is done. */
export function helpIfAsked(usage: string): void {
  if (!process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) return;
  console.log(usage);
  process.exit(0);
}

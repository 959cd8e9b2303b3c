/** What was written after these words, as it was written: another program parses it. */
export function argumentsAfter(args: readonly string[], words: readonly string[]): readonly string[] {
  let at = 0;
  for (const word of words) at = args.indexOf(word, at) + 1;
  return args.slice(at);
}

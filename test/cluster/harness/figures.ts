const figures: string[] = [];

/** Notes something that was measured, for the end of the run. */
export function figure(what: string, value: string): void {
  figures.push(`${what}: ${value}`);
}

export function printFigures(): void {
  if (figures.length > 0) console.log(`\nmeasured:\n${figures.map((line) => `  ${line}`).join('\n')}`);
}

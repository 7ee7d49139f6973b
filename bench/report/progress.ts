/** Tells the person at the terminal what is going on. */
export type Progress = (text: string) => void;

/** Progress on standard error, each line with the seconds since now. */
export function startProgress(): Progress {
  const started = performance.now();
  return (text) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(5);
    process.stderr.write(`${seconds} s  ${text}\n`);
  };
}

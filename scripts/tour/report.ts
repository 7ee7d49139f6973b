import { alignColumns, columnsOf, wrapWords } from './style.ts';
import type { Style } from './style.ts';

/** Where the report goes: a terminal, a pipe, or a test's array. */
export interface ReportOutput {
  write(text: string): void;
  /** A terminal, which can take a line back. */
  readonly isTerminal: boolean;
  readonly columns: number;
}

/** One station of the tour: tells, shows, checks, and returns in a few words what came out. */
export interface Step {
  readonly title: string;
  run(report: Report): Promise<string>;
}

const INDENT = '   ';
/** Longer lines are hard to read; narrower terminals than this get lines that break by themselves. */
const WIDEST = 100;
const NARROWEST = 40;

/** Prints the tour, and keeps what of it held. */
export class Report {
  readonly style: Style;
  readonly #output: ReportOutput;
  readonly #summary: { readonly title: string; readonly gist: string; readonly holds: boolean }[] = [];
  #failedClaims = 0;
  #progress = false;
  /** Claims that follow each other stand together. */
  #afterCheck = false;

  constructor(output: ReportOutput, style: Style) {
    this.#output = output;
    this.style = style;
  }

  /** Columns for text inside the indent. */
  get width(): number {
    return Math.min(WIDEST, Math.max(NARROWEST, this.#output.columns)) - 2 * INDENT.length;
  }

  /** False as soon as one claim did not hold. */
  get allHeld(): boolean {
    return this.#failedClaims === 0;
  }

  /**
   * Runs the steps in order. A step whose claim does not hold lets the tour go on; a step that throws ends it, because the
   * following ones stand on it.
   */
  async run(steps: readonly Step[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      const before = this.#failedClaims;
      this.#heading(`${index + 1}`, step.title);
      let gist: string;
      let goOn = true;
      try {
        gist = await step.run(this);
      } catch (error) {
        gist = 'failed';
        goOn = false;
        const [first = '', ...rest] = describe(error).split('\n');
        this.check(false, first);
        this.block(rest.map((line) => this.style.dim(line)));
      }
      this.#summary.push({ title: step.title, gist, holds: this.#failedClaims === before });
      if (!goOn) return;
    }
  }

  /** The first lines of all. */
  title(name: string, text: string): void {
    this.#output.write(`\n${INDENT}${this.style.bold(name)}\n`);
    this.say(text);
  }

  /** A paragraph. */
  say(text: string): void {
    this.#line('');
    for (const line of wrapWords(text.split(/\s+/), this.width)) this.#line(line);
  }

  /** Lines as they are, set apart by an empty line. */
  block(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#line('');
    for (const line of lines) this.#line(line);
  }

  /** A lead, and below it, indented, groups of words that each begin a line. */
  hanging(lead: string, groups: readonly (readonly string[])[]): void {
    this.#line('');
    this.#line(lead);
    for (const line of groups.flatMap((words) => wrapWords(words, this.width - 2))) this.#line(`  ${line}`);
  }

  /** Something that the tour shows, and whether it held. */
  check(holds: boolean, claim: string): void {
    if (!holds) this.#failedClaims += 1;
    const [first = '', ...rest] = wrapWords(claim.split(' '), this.width - 2);
    const paint = (text: string): string => (holds ? text : this.style.paint('red', text));
    if (!this.#afterCheck) this.#line('');
    this.#line(`${this.style.mark(holds)} ${paint(first)}`);
    for (const line of rest) this.#line(`  ${paint(line)}`);
    this.#afterCheck = true;
  }

  /** What is being waited for; shows on a terminal only, until the next line. */
  progress(text: string): void {
    if (!this.#output.isTerminal) return;
    this.#clearProgress();
    this.#output.write(`${INDENT}${this.style.dim(`… ${text}`)}`);
    this.#progress = true;
  }

  /** Every step in one line, and the verdict. */
  summary(goOn: readonly string[]): void {
    this.#heading('', 'In short');
    const rows = this.#summary.map(({ title, gist, holds }) => [
      `${this.style.mark(holds)} ${this.style.bold(title)}`,
      gist,
    ]);
    const wide = Math.max(...alignColumns(rows).map(columnsOf)) <= this.width;
    this.block(wide ? alignColumns(rows) : rows.flatMap(([title = '', gist = '']) => [title, `  ${gist}`]));
    this.say(
      this.allHeld ? 'Everything that was shown held.' : 'Not everything that was shown held: see ✗ above.',
    );
    this.block(goOn);
    this.#output.write('\n');
  }

  #heading(number: string, title: string): void {
    const name = number === '' ? title : `${number} · ${title}`;
    const rule = '━'.repeat(Math.max(2, this.width + INDENT.length - name.length - 4));
    this.#clearProgress();
    this.#afterCheck = false;
    this.#output.write(`\n${this.style.dim('━━')} ${this.style.bold(name)} ${this.style.dim(rule)}\n`);
  }

  #line(text: string): void {
    this.#clearProgress();
    this.#afterCheck = false;
    this.#output.write(text === '' ? '\n' : `${INDENT}${text}\n`);
  }

  #clearProgress(): void {
    if (!this.#progress) return;
    this.#progress = false;
    this.#output.write('\r\x1b[2K');
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

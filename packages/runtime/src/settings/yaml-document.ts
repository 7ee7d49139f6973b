/** A text that should be YAML and is not; `cause` is the parser's complaint with line and column. */
export class YamlSyntaxError extends Error {
  readonly code = 'YAML_SYNTAX';
  constructor(what: string, cause: unknown) {
    super(
      `${what} is not valid YAML; correct it at the place named: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.name = 'YamlSyntaxError';
  }
}

/**
 * Reads one YAML document as plain data. The parser is loaded at the first call, for many processes never need it.
 *
 * @param what how the error names the document, for example its path
 * @throws YamlSyntaxError
 */
export async function parseYaml(what: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    // Without this, what the parser finds odd goes to standard error, past the log.
    const value = parse(text, { logLevel: 'error' }) as unknown;
    if (isCyclic(value, new Set())) throw new Error('an alias refers to something that holds it');
    return value;
  } catch (error) {
    throw new YamlSyntaxError(what, error);
  }
}

/** Whether a value holds itself. Such data is no tree: it cannot be printed, and walking it does not end. */
function isCyclic(value: unknown, above: Set<object>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (above.has(value)) return true;
  above.add(value);
  const cyclic = Object.values(value).some((each) => isCyclic(each, above));
  above.delete(value);
  return cyclic;
}

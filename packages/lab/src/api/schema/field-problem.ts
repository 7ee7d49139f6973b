/** Why a field was refused: the `reason` of a cause in a Status, as apimachinery's `field.ErrorType` has it. */
export type FieldProblemType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError';

/** One thing wrong with an object. A Status says `path: message`. */
export interface FieldProblem {
  /** Such as `spec.ports[0].port`; `<nil>` where an API server names no field (whole alternatives failed). */
  readonly path: string;
  readonly type: FieldProblemType;
  /** What follows the path, such as `Invalid value: "x": spec.name in body should match '^[a-z]+$'`. */
  readonly message: string;
}

/** The path that API servers print where they know none. */
export const noPath = '<nil>';

const titles: Readonly<Record<FieldProblemType, string>> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueTypeInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
};

/** A problem that shows the offending value, as apimachinery's `field.Error` prints it. */
export function problemWithValue(
  type: FieldProblemType,
  path: string,
  value: unknown,
  detail: string,
): FieldProblem {
  const shown = `${titles[type]}: ${typeof value === 'string' ? quote(value) : JSON.stringify(value ?? null)}`;
  return { path: path === '' ? noPath : path, type, message: detail === '' ? shown : `${shown}: ${detail}` };
}

/** A problem that shows no value. */
export function problem(type: FieldProblemType, path: string, detail = ''): FieldProblem {
  const message = detail === '' ? titles[type] : `${titles[type]}: ${detail}`;
  return { path: path === '' ? noPath : path, type, message };
}

/** `problems` as the message of a Status has them: one plain, more in brackets. */
export function describeProblems(problems: readonly FieldProblem[]): string {
  const texts = [...new Set(problems.map(({ path, message }) => `${path}: ${message}`))];
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
}

/** A string in quotes as Go prints it with %q; the same as JSON but for the rarest characters. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

import { FieldReader } from './field-reader.ts';
import type { FieldProblem } from './problem.ts';
import { describeProblems, errorsOf, ProblemList } from './problem.ts';
import { validate } from './validate.ts';

/** Where the API server posts what is to be checked. */
export const VALIDATE_PATH = '/validate';

const API_VERSION = 'admission.k8s.io/v1';

/** An answer to the API server: an HTTP status and a JSON body. */
export interface AdmissionAnswer {
  readonly httpStatus: 200 | 400;
  readonly body: unknown;
}

/** The API server cuts longer warnings itself, in the middle of a word. */
const maxWarning = 256;

/** Enough to correct a manifest by, whatever an object of a few megabytes has in it. */
const maxCauses = 64;
const maxWarnings = 16;

/**
 * Answers an AdmissionReview (admission.k8s.io/v1) about an object of this mesh's kinds. Pure: the parsed JSON of the
 * request in, the JSON of the response out.
 *
 * Errors make the review a refusal that names every field; warnings go back either way, and kubectl prints them. Deletions
 * and kinds without checks are allowed. What is no AdmissionReview is answered with 400 and the reason, which the API server
 * treats by the webhook's failurePolicy.
 */
export function reviewAdmission(request: unknown): AdmissionAnswer {
  const problems = new ProblemList();
  const review = new FieldReader(request, '', problems);
  const malformed = (): AdmissionAnswer => ({
    httpStatus: 400,
    body: { error: `not an AdmissionReview of ${API_VERSION}: ${describeProblems(problems.all)}` },
  });
  if (!review.isObject()) {
    problems.add({ path: '(body)', message: 'must be a JSON object', severity: 'error' });
    return malformed();
  }
  review.at('kind').oneOf(['AdmissionReview'] as const);
  review.at('apiVersion').oneOf([API_VERSION] as const);
  if (!review.at('apiVersion').present) review.at('apiVersion').error('must be set');
  const admission = review.at('request');
  const uid = admission.at('uid').required();
  const kind = admission.at('kind').at('kind').required();
  const group = admission.at('kind').at('group').string() ?? '';
  const operation = admission.at('operation').required();
  const object = admission.at('object');
  const judged = operation === 'CREATE' || operation === 'UPDATE';
  if (judged) object.isObject();
  if (problems.all.length > 0 || uid === undefined || kind === undefined) return malformed();
  return answer(uid, kind, judged ? validate(group, kind, object.raw) : []);
}

function answer(uid: string, kind: string, problems: readonly FieldProblem[]): AdmissionAnswer {
  const errors = errorsOf(problems);
  const warnings = problems
    .filter(({ severity }) => severity === 'warning')
    .slice(0, maxWarnings)
    .map(({ path, message }) => cut(`${path}: ${message}`));
  const response = {
    uid,
    allowed: errors.length === 0,
    ...(errors.length > 0 ? { status: refusal(kind, errors) } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
  return { httpStatus: 200, body: { apiVersion: API_VERSION, kind: 'AdmissionReview', response } };
}

/** metav1.Status, as the API server's own checks answer. */
function refusal(kind: string, errors: readonly FieldProblem[]): unknown {
  return {
    status: 'Failure',
    code: 422,
    reason: 'Invalid',
    message: `${kind} is invalid: ${describeProblems(errors)}`,
    details: {
      kind,
      causes: errors
        .slice(0, maxCauses)
        .map(({ path, message }) => ({ reason: 'FieldValueInvalid', field: path, message })),
    },
  };
}

function cut(text: string): string {
  return text.length <= maxWarning ? text : `${text.slice(0, maxWarning - 1)}…`;
}

import { invalid, methodNotAllowed } from '../errors.ts';
import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { readObject } from '../operations/prepare.ts';
import type { Target, User } from '../operations/request.ts';

/** The answer to a question: the status of the review. */
export type Reviewer = (spec: JsonObject, user: User) => JsonObject | Promise<JsonObject>;

/** Questions that are posted as objects and answered in their status; nothing is stored. */
export class Reviews {
  readonly #reviewers = new Map<string, Reviewer>();

  constructor() {
    // The lab lets everyone do everything who is authenticated at all.
    const allowed: Reviewer = () => ({
      allowed: true,
      reason: 'the lab allows everything to the authenticated',
    });
    for (const kind of ['SubjectAccessReview', 'SelfSubjectAccessReview', 'LocalSubjectAccessReview'])
      this.register(kind, allowed);
    this.register('SelfSubjectRulesReview', () => ({
      incomplete: false,
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    }));
    this.register('SelfSubjectReview', (_, user) => ({ userInfo: user }));
  }

  register(kind: string, reviewer: Reviewer): void {
    this.#reviewers.set(kind, reviewer);
  }

  async answer(target: Target, body: unknown, user: User): Promise<ApiObject> {
    const { kind, group } = target.resource;
    const reviewer = this.#reviewers.get(kind);
    if (reviewer === undefined) throw methodNotAllowed();
    const review = readObject(body, target);
    const { schema } = target.version;
    // Clients send zero values, such as null for a creationTimestamp.
    delete review['status'];
    schema?.applyDefaults(review);
    const problems = schema?.validate(review) ?? [];
    if (problems.length > 0)
      throw invalid(
        kind,
        group,
        review.metadata.name ?? '',
        problems.map(({ path, type, message }) => ({ reason: type, field: path, message })),
      );
    const spec = isJsonObject(review['spec']) ? review['spec'] : {};
    return { ...review, status: await reviewer(spec, user) };
  }
}

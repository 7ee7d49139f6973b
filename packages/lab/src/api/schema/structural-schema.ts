import type { JsonObject } from '../object.ts';
import { runRules } from './cel-rules.ts';
import type { UnsupportedRule } from './cel-rules.ts';
import { applyDefaults } from './defaulting.ts';
import type { FieldProblem } from './field-problem.ts';
import type { JsonSchema } from './json-schema.ts';
import { checkListKeys } from './list-keys.ts';
import { prune } from './pruning.ts';
import { parseSchema } from './schema-node.ts';
import type { SchemaNode } from './schema-node.ts';
import { checkValue } from './value-checks.ts';

export interface StructuralSchemaOptions {
  /** Told once of each rule that cannot be evaluated here; such rules are skipped. */
  readonly onUnsupportedRule?: (rule: UnsupportedRule) => void;
}

/**
 * The schema of one kind's objects, as apiextensions/v1 structural schemas work. An object that comes in goes through
 * `prune`, `applyDefaults` and `validate`, in this order.
 */
export class StructuralSchema {
  /** For walks of other modules: server-side apply, strategic merge. */
  readonly root: SchemaNode;
  readonly #onUnsupportedRule: (rule: UnsupportedRule) => void;

  private constructor(root: SchemaNode, options: StructuralSchemaOptions) {
    this.root = root;
    this.#onUnsupportedRule = options.onUnsupportedRule ?? (() => undefined);
  }

  /**
   * @param schema `openAPIV3Schema` of one version of a CustomResourceDefinition
   * @throws {SchemaError} it is malformed
   */
  static parse(schema: JsonSchema, options: StructuralSchemaOptions = {}): StructuralSchema {
    return new StructuralSchema(parseSchema(schema, true), options);
  }

  /** Removes unknown fields in place. @returns their paths, sorted, such as `spec.ports[0].prot` */
  prune(object: JsonObject): string[] {
    return prune(object, this.root);
  }

  /** Fills missing fields in place. */
  applyDefaults(object: JsonObject): void {
    applyDefaults(object, this.root);
  }

  /**
   * What is wrong with an object. Rules are evaluated only for objects that are otherwise well-formed.
   * @param old the object as it was before, for rules that compare with `oldSelf`
   */
  validate(object: JsonObject, old?: JsonObject): FieldProblem[] {
    const problems = [...checkValue(object, this.root), ...checkListKeys(object, this.root)];
    if (problems.length > 0 || !this.root.hasRules) return problems;
    return runRules(object, old, this.root, this.#onUnsupportedRule);
  }
}

/**
 * Kubernetes' published schemas, stricter than they are: fields that they do not name are wrong.
 *
 * @module
 */

import { Ajv, type ValidateFunction } from "ajv";
import schemas from "../../fixtures/kubernetes/schemas.json" with { type: "json" };

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly enum?: readonly string[];
}

const definitions = schemas.definitions as Readonly<Record<string, Schema>>;

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addFormat("int32", { type: "number", validate: Number.isInteger });
ajv.addFormat("int64", { type: "number", validate: Number.isInteger });
ajv.addFormat("double", { type: "number", validate: Number.isFinite });
ajv.addFormat("byte", /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
ajv.addFormat("date-time", (text) => !Number.isNaN(Date.parse(text)));
ajv.addFormat("quantity", /^[+-]?(\d+|\d+\.\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/);
ajv.addSchema({
  $id: "kubernetes",
  definitions: Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [
      name,
      schema.properties ? { ...schema, additionalProperties: false } : schema,
    ]),
  ),
});

const validators = new Map<string, ValidateFunction>();

/** What is wrong with an object, one sentence each. */
export function wrongIn(object: { readonly apiVersion: string; readonly kind: string }): string[] {
  const key = `${object.apiVersion} ${object.kind}`;
  let validate = validators.get(key);
  if (!validate) {
    const name = Object.keys(definitions).find((name) => {
      const { apiVersion, kind } = (definitions[name]!.properties ?? {}) as Record<string, Schema>;
      return apiVersion?.enum?.includes(object.apiVersion) && kind?.enum?.includes(object.kind);
    });
    if (name === undefined) return [`no schema of ${key}`];
    validate = ajv.compile({ $ref: `kubernetes#/definitions/${name}` });
    validators.set(key, validate);
  }
  if (validate(object)) return [];
  return validate.errors!.map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${JSON.stringify(params)}`
  );
}

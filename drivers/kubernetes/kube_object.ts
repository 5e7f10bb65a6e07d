/**
 * Objects of Kubernetes, by the part of them that is used. Types only.
 *
 * @module
 */

/** A value of an object. */
export type KubeValue =
  | string
  | number
  | boolean
  | null
  | readonly KubeValue[]
  | { readonly [key: string]: KubeValue | undefined };

/** The fields of a part of an object. */
export interface KubeFields {
  readonly [key: string]: KubeValue | undefined;
}

/** What every object says of itself. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

/** One object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: KubeFields;
  readonly status?: KubeFields;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly immutable?: boolean;
  readonly automountServiceAccountToken?: boolean;
}

/** Which object is meant. */
export interface ObjectId {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** What every object has. */
export type Identified = Pick<KubeObject, "apiVersion" | "kind" | "metadata">;

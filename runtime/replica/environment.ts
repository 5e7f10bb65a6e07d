/**
 * What a replica is told by its environment: the contract between drivers, which render it, and the serving
 * half, which reads it. Types only.
 *
 * A replica needs no launcher as its parent. Without `MP_SUPERVISOR` it keeps itself:
 *
 * - It follows the file `MP_BOOK`, if there is one, which is looked at once a second: in a volume of Docker,
 *   a mounted ConfigMap of Kubernetes. A new generation that is whole and of its own revision is taken; anything else is waited out.
 * - It listens where the address book says, at the host `MP_LISTEN_HOST`. Its peers are found by the names in
 *   the book, which need not resolve yet: it goes on trying, with back-off.
 * - `GET /healthz` and `GET /readyz` are answered at its `http` address as soon as it listens for its peers;
 *   `/readyz` says 200 once all parts that it needs are connected, and names what is missing otherwise. Who
 *   asks whether it lives connects to its `peer` address and sends nothing: a replica that computes is not
 *   dead, and the kernel accepts for it.
 * - It opens its doors when it is ready.
 * - On `SIGTERM` it sends its callers elsewhere, answers what has come, and exits with 0; after `MP_GRACE` in
 *   any case. An exit with 1 is worth another start, with {@linkcode FATAL_EXIT} it is not.
 *
 * Files are read at the start: the book, the bundle, its source map (when an error is shown) and the secret.
 *
 * @module
 */

/** The exit status of a replica that would fail in the same way again, such as one of another revision. */
export type FATAL_EXIT = 78;

/** The environment of a replica. */
export interface ReplicaEnvironment {
  /** What the process is; `probe` as its argument makes it another, see `probe.ts`. */
  readonly MP_ROLE: "replica";
  /** The app, a DNS label. */
  readonly MP_APP: string;
  /** Path and flat index, `histogram-service.scatter.3`. In its place `MP_PATH` with an index. */
  readonly MP_REPLICA?: string;
  /** The path, where all replicas of a path share one environment. */
  readonly MP_PATH?: string;
  /** The flat index, with `MP_PATH`. Without it, it is the number at the end of `MP_POD_NAME`, or of the host's name. */
  readonly MP_INDEX?: string;
  /** The name of a pod of a StatefulSet, `shop-scatter-3`. */
  readonly MP_POD_NAME?: string;
  /** The plan's revision; a script that makes another one is refused. */
  readonly MP_REVISION: string;
  /** The bundle in its canonical form, a file that ends in `.mjs`, or in `.mjs.gz` where it is compressed. */
  readonly MP_BUNDLE: string;
  /** The bundle's source map, a file, which may be compressed and end in `.gz`; one that is missing costs stack traces their lines. */
  readonly MP_SOURCE_MAP: string;
  /** The topology script, for `import.meta`; relative paths of storages are relative to its folder. It need not exist. */
  readonly MP_SCRIPT: string;
  /** The address book, a file with JSON. */
  readonly MP_BOOK?: string;
  /** The address book itself, in place of `MP_BOOK`, where it never changes. */
  readonly MP_BOOK_JSON?: string;
  /** The deployment's secret, a file. White space around it does not count. */
  readonly MP_SECRET_FILE?: string;
  /** The secret itself, in place of `MP_SECRET_FILE`. */
  readonly MP_SECRET?: string;
  /** Where to listen in place of the host in the replica's own addresses: `0.0.0.0` in a network of containers, or `::`. */
  readonly MP_LISTEN_HOST?: string;
  /** How long it may drain after `SIGTERM`, in milliseconds. Default: 10,000. */
  readonly MP_GRACE?: string;
  /**
   * How long its doors go on answering after `SIGTERM`, in milliseconds, where callers go on coming for a while, as
   * through a Service of Kubernetes. It is part of `MP_GRACE`. Default: 0.
   */
  readonly MP_LINGER?: string;
  /** Where scopes live: a URL, or the name of a storage whose address other variables give. */
  readonly MP_STORAGE?: string;
  /** The htpasswd file of services whose script names no users. */
  readonly MP_AUTH_USERS?: string;
  /** Origins whose web pages may call through its doors, separated by spaces. */
  readonly MP_CORS?: string;
  /** Marks what is printed with the request that is answered, for who reads it to take out: `telemetry/log_marks.ts`. */
  readonly MP_LOG_MARKS?: string;
  /** The address of its supervisor, which then does what is told above. */
  readonly MP_SUPERVISOR?: string;
  /** The process id of its parent, with which it ends. */
  readonly MP_PARENT_PID?: string;
}

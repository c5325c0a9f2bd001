// Secrets that an answer holds are there to be used, and not to be seen in a log: whoever prints
// such an object sees that there is one. Reading a member and JSON.stringify give what is there.

/** What Node.js, Deno and Bun ask an object by when they print it. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** What stands in a secret's place. */
const HIDDEN = "[redacted]";

type Members = Record<string, unknown>;

/** Hides the members of these names, wherever they are in `value`, from whoever prints it. */
export function redact<T>(value: T, names: ReadonlySet<string>): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (const item of value) redact(item, names);
    return value;
  }
  const members = value as Members;
  for (const member of Object.values(members)) redact(member, names);
  const secret = Object.keys(members).filter((name) => names.has(name) && members[name] !== null);
  if (secret.length > 0) {
    for (const name of secret) cover(members, name);
    hide(members, () => ({
      ...members,
      ...Object.fromEntries(secret.map((name) => [name, HIDDEN])),
    }));
  }
  return value;
}

/** Hides a list of secrets. */
export function redactAll<T extends readonly unknown[]>(secrets: T): T {
  for (const index of secrets.keys()) cover(secrets, index);
  hide(secrets, () => secrets.map(() => HIDDEN));
  return secrets;
}

/** Keeps a member out of what prints without asking, as `console.dir` does: it shows a getter. */
function cover(target: object, name: PropertyKey): void {
  let value: unknown = Reflect.get(target, name);
  const get = (): unknown => value;
  const set = (given: unknown): void => {
    value = given;
  };
  Object.defineProperty(target, name, { get, set, enumerable: true, configurable: true });
}

/** Lets whoever prints `target` see what `shown` gives. */
export function hide(target: object, shown: () => unknown): void {
  Object.defineProperty(target, INSPECT, { value: shown, enumerable: false, configurable: true });
}

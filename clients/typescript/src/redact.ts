// Secrets that an answer holds are there to be used, and not to be seen in a log: whoever prints
// such an object sees that there is one. Reading a member and JSON.stringify give what is there.

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const DENO_INSPECT = Symbol.for("Deno.customInspect");

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
  if (Object.keys(members).some((name) => names.has(name) && members[name] !== null)) {
    hide(members, () =>
      Object.fromEntries(
        Object.entries(members).map(([name, member]) => [
          name,
          names.has(name) && member !== null ? HIDDEN : member,
        ]),
      ),
    );
  }
  return value;
}

/** Hides a list of secrets. */
export function redactAll<T extends readonly unknown[]>(secrets: T): T {
  hide(secrets, () => secrets.map(() => HIDDEN));
  return secrets;
}

/** Lets whoever prints `target` see what `shown` gives. */
export function hide(target: object, shown: () => unknown): void {
  for (const symbol of [INSPECT, DENO_INSPECT]) {
    Object.defineProperty(target, symbol, { value: shown, enumerable: false, configurable: true });
  }
}

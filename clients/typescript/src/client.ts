import { type Clock, platform } from "./clock.js";
import { hide } from "./redact.js";
import { ApiKeys } from "./resources/apiKeys.js";
import { Audit } from "./resources/audit.js";
import { Auth } from "./resources/auth.js";
import { ClusterResource } from "./resources/cluster.js";
import { Service } from "./resources/service.js";
import { SettingsResource } from "./resources/settings.js";
import { StatisticsResource } from "./resources/statistics.js";
import { Tenants } from "./resources/tenants.js";
import { Webhooks } from "./resources/webhooks.js";
import { type Fetch, Transport } from "./transport.js";

/** What a client is made of. */
export interface CountersignOptions {
  /**
   * Where the service is: one address, or those of all nodes. `COUNTERSIGN_URL`, with commas
   * between, unless given.
   */
  baseUrl?: string | readonly string[] | undefined;
  /** The API key, `csk_…`. `COUNTERSIGN_API_KEY` unless given. */
  apiKey?: string | undefined;
  /** For how long a call may take, retries included, in milliseconds; 10,000 unless given. */
  timeout?: number | undefined;
  /** How many more attempts may follow once every address was tried; 2 unless given. */
  maxRetries?: number | undefined;
  /** What sends requests, in place of the platform's `fetch`. */
  fetch?: Fetch | undefined;
  /** Lets the client run in a browser, where everybody who opens the page can read the API key. */
  dangerouslyAllowBrowser?: boolean | undefined;
}

const TIMEOUT_MS = 10_000;
const RETRIES = 2;

/**
 * A client of Countersign. One is enough for a process; it holds no connection of its own.
 *
 * @example
 * const client = new Countersign({
 *   baseUrl: ["https://n1.mfa.example", "https://n2.mfa.example", "https://n3.mfa.example"],
 *   apiKey: process.env.COUNTERSIGN_API_KEY,
 * });
 * const result = await client.auth.mfa.createChallenge(userId);
 */
export class Countersign {
  /** Users and how they sign in. */
  readonly auth: Auth;
  /** Why every decision was taken. */
  readonly audit: Audit;
  /** Be told what happens. */
  readonly webhooks: Webhooks;
  /** Who may call. */
  readonly apiKeys: ApiKeys;
  /** Nodes and shards. */
  readonly cluster: ClusterResource;
  /** Names, origins, tokens, words, alerts. */
  readonly settings: SettingsResource;
  /** What happened lately. */
  readonly statistics: StatisticsResource;
  /** Organisations that never see each other. */
  readonly tenants: Tenants;
  /** Health, metrics, documentation. */
  readonly service: Service;

  /**
   * @throws TypeError if an option cannot be used
   */
  constructor(options?: CountersignOptions);
  /** @internal */
  constructor(options: CountersignOptions, clock: Clock);
  constructor(options: CountersignOptions = {}, clock: Clock = platform) {
    if (isBrowser() && options.dangerouslyAllowBrowser !== true) {
      throw new TypeError(
        "an API key in a browser is everybody's: call the service from your server, and use " +
          "@countersign/client/browser for security keys and passkeys",
      );
    }
    const addresses = addressesOf(options.baseUrl ?? variable("COUNTERSIGN_URL"));
    const transport = new Transport({
      addresses,
      apiKey: keyOf(options.apiKey ?? variable("COUNTERSIGN_API_KEY")),
      timeoutMs: positive("timeout", options.timeout ?? TIMEOUT_MS),
      maxRetries: whole("maxRetries", options.maxRetries ?? RETRIES),
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      clock,
    });
    this.auth = new Auth(transport);
    this.audit = new Audit(transport);
    this.webhooks = new Webhooks(transport);
    this.apiKeys = new ApiKeys(transport);
    this.cluster = new ClusterResource(transport);
    this.settings = new SettingsResource(transport);
    this.statistics = new StatisticsResource(transport);
    this.tenants = new Tenants(transport);
    this.service = new Service(transport);
    hide(this, () => `Countersign { ${addresses.join(", ")} }`);
  }
}

/** A page's own script, rather than a server, a worker of one, or a test's make-believe document. */
function isBrowser(): boolean {
  const { window, document, process } = globalThis as {
    window?: unknown;
    document?: unknown;
    process?: { versions?: { node?: string } };
  };
  return window !== undefined && document !== undefined && process?.versions?.node === undefined;
}

function variable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  try {
    return process?.env?.[name];
  } catch {
    // Deno asks before it shows a variable, and may be told no.
    return undefined;
  }
}

function addressesOf(given: string | readonly string[] | undefined): string[] {
  const texts = typeof given === "string" ? given.split(",") : (given ?? []);
  const addresses = texts.map((text) => text.trim()).filter((text) => text !== "");
  if (addresses.length === 0) {
    throw new TypeError("where is the service? Give baseUrl, or set COUNTERSIGN_URL");
  }
  return addresses.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const fits = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
    if (!fits) throw new TypeError(`baseUrl: ${JSON.stringify(text)} is no http or https address`);
    if (url.username !== "" || url.password !== "") {
      throw new TypeError("baseUrl: a name or a password in an address is not sent; give apiKey");
    }
    return url.origin + url.pathname.replace(/\/+$/, "");
  });
}

function keyOf(given: string | undefined): string {
  const key = given?.trim() ?? "";
  if (key === "") throw new TypeError("which API key? Give apiKey, or set COUNTERSIGN_API_KEY");
  if (!/^csk_[\x21-\x7e]+$/.test(key)) {
    throw new TypeError("apiKey: an API key begins with csk_ and has no spaces");
  }
  return key;
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new TypeError(`${name} must be more than 0`);
}

function whole(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new TypeError(`${name} must be a whole number from 0`);
}

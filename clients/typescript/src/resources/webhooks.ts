import { type CallOptions, path } from "../call.js";
import type { List } from "../pagination.js";
import { type HeadersLike, verifyWebhook } from "../signature.js";
import type { Transport } from "../transport.js";
import type {
  CreateWebhook,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookEvent,
  WebhookWithSecret,
} from "../types.js";
import { type PageWish, list } from "./list.js";

const SECRETS = new Set(["secret"]);

/** Be told what the audit log tells. Needs the scope `admin`. */
export class Webhooks {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Webhooks, the oldest first. */
  list(wishes: PageWish = {}, options?: CallOptions): List<Webhook> {
    return list(this.#transport, "listWebhooks", "/v1/webhooks", { ...wishes }, options);
  }

  /** Registers an address. The answer has the secret, once. */
  async create(webhook: CreateWebhook, options?: CallOptions): Promise<WebhookWithSecret> {
    const call = { operation: "createWebhook", method: "POST", path: "/v1/webhooks" } as const;
    return this.#transport.send({ ...call, body: webhook, secrets: SECRETS }, options);
  }

  /** A webhook. */
  async get(webhookId: string, options?: CallOptions): Promise<Webhook> {
    const at = path`/v1/webhooks/${webhookId}`;
    return this.#transport.send({ operation: "getWebhook", method: "GET", path: at }, options);
  }

  /** Changes a webhook; what is left out stays. */
  async update(webhookId: string, changes: UpdateWebhook, options?: CallOptions): Promise<Webhook> {
    const at = path`/v1/webhooks/${webhookId}`;
    const call = { operation: "updateWebhook", method: "PATCH", path: at, body: changes } as const;
    return this.#transport.send(call, options);
  }

  /** Removes a webhook. */
  async delete(webhookId: string, options?: CallOptions): Promise<void> {
    const at = path`/v1/webhooks/${webhookId}`;
    const call = { operation: "deleteWebhook", method: "DELETE", path: at } as const;
    return this.#transport.send({ ...call, answer: "nothing" }, options);
  }

  /** Makes a new secret; for a while events are signed with both. */
  async rotateSecret(
    webhookId: string,
    wishes: { overlapSeconds?: number | undefined } = {},
    options?: CallOptions,
  ): Promise<WebhookWithSecret> {
    const at = path`/v1/webhooks/${webhookId}/rotate-secret`;
    const call = { operation: "rotateWebhookSecret", method: "POST", path: at } as const;
    return this.#transport.send({ ...call, body: wishes, secrets: SECRETS }, options);
  }

  /** What became of each delivery, the newest first. */
  listDeliveries(
    webhookId: string,
    wishes: PageWish = {},
    options?: CallOptions,
  ): List<WebhookDelivery> {
    const at = path`/v1/webhooks/${webhookId}/deliveries`;
    return list(this.#transport, "listWebhookDeliveries", at, { ...wishes }, options);
  }

  /** Tries a delivery anew. */
  async redeliver(webhookId: string, deliveryId: string, options?: CallOptions): Promise<void> {
    const at = path`/v1/webhooks/${webhookId}/deliveries/${deliveryId}/redeliver`;
    const call = { operation: "redeliverWebhookEvent", method: "POST", path: at } as const;
    return this.#transport.send({ ...call, answer: "nothing" }, options);
  }

  /**
   * The event of a delivery, if the service sent it: Standard Webhooks, with a time within five
   * minutes. Asks nobody.
   *
   * @param body the raw body, before anything parsed it
   * @param secret the webhook's secret, or several while it is rotated
   *
   * @example
   * app.post("/countersign", express.raw({ type: "application/json" }), async (req, res) => {
   *   const event = await client.webhooks.verify(req.body, req.headers, secret);
   *   res.sendStatus(204);
   * });
   *
   * @throws WebhookSignatureError if it is not to be believed
   */
  async verify(
    body: string | Uint8Array,
    headers: HeadersLike,
    secret: string | readonly string[],
  ): Promise<WebhookEvent> {
    const secrets = typeof secret === "string" ? [secret] : secret;
    return verifyWebhook(body, headers, secrets, this.#transport.clock.wall());
  }
}

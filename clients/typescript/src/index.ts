/**
 * Client of Countersign, the multi-factor authentication service that you run yourself.
 *
 * @packageDocumentation
 */

export { Countersign, type CountersignOptions } from "./client.js";
export type { CallOptions } from "./call.js";
export * from "./errors.js";
export { List, Page } from "./pagination.js";
export { Base64UrlBytes } from "./bytes.js";
export { VERSION } from "./version.js";
export type { Fetch } from "./transport.js";
export type { TokenClaims, VerifyTokenOptions } from "./tokens.js";
export type * from "./proofs.js";
export type { HeadersLike } from "./signature.js";
export type {
  AssertionCredential,
  AuthenticatorWish,
  BrowserCredential,
  CreationOptions,
  CredentialDescriptor,
  KeyKind,
  RegistrationCredential,
  RequestOptions,
  UserEntity,
} from "./webauthn.js";
export type { Mfa } from "./resources/mfa.js";
export type { Auth } from "./resources/auth.js";
export type { Users } from "./resources/users.js";
export type { Portal } from "./resources/portal.js";
export type { Audit, AuditFilter } from "./resources/audit.js";
export type { Webhooks } from "./resources/webhooks.js";
export type { ApiKeys } from "./resources/apiKeys.js";
export type { PageWish } from "./resources/list.js";
export type { Tenants } from "./resources/tenants.js";
export type { Service } from "./resources/service.js";
export type { ClusterResource } from "./resources/cluster.js";
export type { SettingsResource } from "./resources/settings.js";
export type { StatisticsResource } from "./resources/statistics.js";
export type * from "./types.js";

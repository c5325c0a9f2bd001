// The shapes of requests and answers, under the names that the contract gives them.

import type { components } from "./generated/openapi.js";

type Schemas = components["schemas"];

export type FactorType = Schemas["FactorType"];
export type Factor = Schemas["Factor"];
export type WebAuthnFactor = Schemas["WebAuthn"];
export type ConfirmedFactor = Schemas["ConfirmedFactor"];
export type Tokens = Schemas["Tokens"];
export type MfaStatus = Schemas["MfaStatus"];
export type RecoveryCodesStatus = Schemas["RecoveryCodesStatus"];
export type RecoveryCodeUsed = Schemas["RecoveryCodeUsed"];
export type TrustedDevice = Schemas["TrustedDevice"];

export type EnrollTotp = Schemas["EnrollTotp"];
export type TotpEnrollment = Schemas["TotpEnrollment"];
export type VerifyTotp = Schemas["VerifyTotp"];
export type ImportTotp = Schemas["ImportTotp"];
export type EnrollSms = Schemas["EnrollSms"];
export type EnrollEmail = Schemas["EnrollEmail"];
export type MessageEnrollment = Schemas["MessageEnrollment"];
export type CodeSent = Schemas["CodeSent"];
export type VerifySentCode = Schemas["VerifySentCode"];

export type Challenge = Schemas["Challenge"];
export type ChallengeFactor = Schemas["ChallengeFactor"];
export type ChallengePurpose = Schemas["ChallengePurpose"];
export type LoginContext = Schemas["LoginContext"];
export type Location = Schemas["Location"];
export type RiskTrigger = Schemas["RiskTrigger"];
export type Verification = Schemas["Verification"];
export type VerifiedAssertion = Schemas["VerifiedAssertion"];

export type Policy = Schemas["Policy"];
export type UpdatePolicy = Schemas["UpdatePolicy"];
export type PolicyPreview = Schemas["PolicyPreview"];
export type Requirement = Schemas["Requirement"];
export type GroupRule = Schemas["GroupRule"];
export type Settings = Schemas["Settings"];
export type UpdateSettings = Schemas["UpdateSettings"];
export type Statistics = Schemas["Statistics"];
export type StatisticsWindow = Schemas["StatisticsWindow"];

export type User = Schemas["User"];
export type PutUser = Schemas["PutUser"];
export type PortalPurpose = Schemas["PortalPurpose"];
export type PortalSession = Schemas["PortalSession"];
export type CreatePortalSession = Schemas["CreatePortalSession"];
export type PortalResult = Schemas["PortalResult"];
export type TokenFacts = Schemas["TokenFacts"];
export type Jwk = Schemas["Jwk"];
export type JwkSet = Schemas["JwkSet"];

export type AuditEvent = Schemas["AuditEvent"];
export type AuditCheckpoint = Schemas["AuditCheckpoint"];
export type Outcome = Schemas["Outcome"];
export type Webhook = Schemas["Webhook"];
export type WebhookWithSecret = Schemas["WebhookWithSecret"];
export type CreateWebhook = Schemas["CreateWebhook"];
export type UpdateWebhook = Schemas["UpdateWebhook"];
export type WebhookDelivery = Schemas["WebhookDelivery"];
export type ApiKey = Schemas["ApiKey"];
export type NewApiKey = Schemas["NewApiKey"];
export type CreateApiKey = Schemas["CreateApiKey"];
export type Scope = Schemas["Scope"];
export type Tenant = Schemas["Tenant"];
export type NewTenant = Schemas["NewTenant"];
export type CreateTenant = Schemas["CreateTenant"];
export type Cluster = Schemas["Cluster"];
export type TransferredLeadership = Schemas["TransferredLeadership"];
export type NodeStatus = Schemas["NodeStatus"];

export type RegistrationWish = Schemas["RegistrationWish"];
export type AssertionWish = Schemas["AssertionWish"];
export type CreationOptionsJSON = Schemas["PublicKeyCredentialCreationOptionsJSON"];
export type RequestOptionsJSON = Schemas["PublicKeyCredentialRequestOptionsJSON"];
export type RegistrationResponseJSON = Schemas["RegistrationResponseJSON"];
export type AuthenticationResponseJSON = Schemas["AuthenticationResponseJSON"];

/** Whether a login needs a second factor: `mfaRequired` tells which of the two it is. */
export type ChallengeAnswer = MfaRequired | MfaNotRequired;

type Decision = Omit<Schemas["ChallengeAnswer"], "mfaRequired" | "challenge" | "tokens">;

/** The person has to answer a challenge. */
export interface MfaRequired extends Decision {
  mfaRequired: true;
  /** What is to be answered, by one of its factors or a recovery code. */
  challenge: Challenge;
  tokens: null;
}

/** The password is enough this time; `reason` tells why. */
export interface MfaNotRequired extends Decision {
  mfaRequired: false;
  challenge: null;
  /** An access token of the level `aal1`. */
  tokens: Tokens;
}

/** A page of rows, as the service answers. */
export interface Rows<T> {
  data: T[];
  nextCursor: string | null;
}

/** What a webhook tells: an audit event without what it takes to verify it offline. */
export interface WebhookEvent {
  /** The event's kind, as `mfa.user.locked`. */
  type: string;
  /** When it happened, RFC 3339. */
  timestamp: string;
  /** The event as `client.audit.list` gives it. */
  data: Omit<AuditEvent, "proof">;
}

// The shapes of requests and answers: those of the contract, and those that are told more exactly
// here than there.

import type { AuditEvent, ChallengeAnswer as Decision, Challenge, Tokens } from "./generated/schemas.js";

export type { Open } from "./generated/schemas.js";

// Factors.
export type {
  Algorithm,
  CodeSent,
  ConfirmedFactor,
  EnrollEmail,
  EnrollSms,
  EnrollTotp,
  Factor,
  FactorStatus,
  FactorType,
  ImportTotp,
  MessageEnrollment,
  MessageStatus,
  MfaStatus,
  PendingEnrollment,
  RecoveryCodesStatus,
  RecoveryCodeUsed,
  SentMessage,
  TotpEnrollment,
  TrustedDevice,
  VerifySentCode,
  VerifyTotp,
  WebAuthn as WebAuthnFactor,
} from "./generated/schemas.js";

// Security keys and passkeys.
export type {
  AssertionResponse,
  AssertionWish,
  Attachment,
  Attestation,
  AttestationResponse,
  AuthenticationResponseJSON,
  AuthenticatorSelection,
  CreationExtensions,
  CredentialDescriptor as CredentialDescriptorJSON,
  CredentialParameters,
  CredentialProperties,
  ExtensionResults,
  PublicKeyCredentialCreationOptionsJSON as CreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON as RequestOptionsJSON,
  RegistrationResponseJSON,
  RegistrationWish,
  RelyingParty,
  ResidentKey,
  UserEntity as UserEntityJSON,
  UserVerification,
} from "./generated/schemas.js";

// Logins.
export type {
  Challenge,
  ChallengeFactor,
  ChallengeKind,
  ChallengePurpose,
  ChallengeReason,
  ChallengeStatus,
  Location,
  LoginContext,
  RiskTrigger,
  TokenFacts,
  Tokens,
  TokenType,
  Verification,
  VerifiedAssertion,
} from "./generated/schemas.js";

// Policy and settings.
export type {
  Alerts,
  BeforeAndAfter,
  ConversionPolicy,
  GracePeriod,
  GraceUnit,
  GroupRule,
  GroupRuleInput,
  LockoutPolicy,
  Messages,
  Policy,
  PolicyPreview,
  Requirement,
  SendsPolicy,
  Settings,
  TriggersPolicy,
  TrustedDevicesPolicy,
  UpdateAlerts,
  UpdateConversion,
  UpdateGracePeriod,
  UpdateLockout,
  UpdateMessages,
  UpdatePolicy,
  UpdateSends,
  UpdateSettings,
  UpdateTriggers,
  UpdateTrustedDevices,
  UpdateWebAuthnPolicy,
  WebAuthnPolicy,
} from "./generated/schemas.js";

// Users and hosted pages.
export type {
  BrowserContext,
  CreatePortalSession,
  Jwk,
  JwkSet,
  PortalPurpose,
  PortalResult,
  PortalSession,
  PortalStatus,
  PutUser,
  ResultParameter,
  User,
} from "./generated/schemas.js";

// Administration.
export type {
  ApiKey,
  AuditCheckpoint,
  AuditEvent,
  AuditProof,
  Cluster,
  ClusterFollower,
  ClusterNode,
  ClusterShard,
  CreateApiKey,
  CreateTenant,
  CreateWebhook,
  CreatedApiKey,
  CreatedTenant,
  DeliveryStatus,
  IssuerMetadata,
  NodeStatus,
  Outcome,
  Scope,
  ShardTimeSet,
  Statistics,
  StatisticsCounts,
  StatisticsSlot,
  StatisticsWindow,
  Tenant,
  Time,
  TransferredLeadership,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookWithSecret,
} from "./generated/schemas.js";

/** Whether a login needs a second factor: `mfaRequired` tells which of the two it is. */
export type ChallengeAnswer = MfaRequired | MfaNotRequired;

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

/** What a webhook tells: an audit event without what it takes to verify it offline. */
export interface WebhookEvent {
  /** The event's kind, as `mfa.user.locked`. */
  type: string;
  /** When it happened, RFC 3339. */
  timestamp: string;
  /** The event as `client.audit.list` gives it. */
  data: Omit<AuditEvent, "proof">;
}

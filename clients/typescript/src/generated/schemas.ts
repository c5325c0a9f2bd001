// Made from clients/openapi.json by `make clients`; not to be edited.

/** One of the words that are known here, or one that a newer service knows. */
export type Open<Known extends string> = Known | (string & {});

/** When something is odd enough to be told; 0 switches an alert off. */
export interface Alerts {
    /**
     * Users for whom one address gave wrong codes within ten minutes.
     * @example 10
     */
    addressUsers: number;
    /**
     * Wrong codes of one user in a row.
     * @example 10
     */
    bruteForceAttempts: number;
    /**
     * Recovery codes of one user that were used within a day.
     * @example 3
     */
    recoveryCodesPerDay: number;
    /** Whether spent codes that come again from elsewhere are told. */
    relays: boolean;
    /**
     * Users reset with one API key within an hour.
     * @example 20
     */
    resetsPerHour: number;
    /** Whether limits on messages that are reached are told. */
    sendFloods: boolean;
}
/** The hash; SHA1 if left out. */
export type Algorithm = "SHA1" | "SHA256" | "SHA512";
/** An API key, without the key itself. */
export interface ApiKey {
    /** When it was made. */
    createdAt: Time;
    /** When it ends; null for never. */
    expiresAt: Time | null;
    /**
     * Its id.
     * @example key_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /**
     * Its name.
     * @example login service
     */
    name: string;
    /** Whether it is a root key, which may also make and remove tenants. */
    root: boolean;
    /** What it may do. */
    scopes: Open<Scope>[];
}
/** A page of a listing. */
export interface ApiKeyList {
    /** The rows. */
    data: ApiKey[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** The `response` of an authentication. */
export interface AssertionResponse {
    /** Base64url. */
    authenticatorData: string;
    /** Base64url. */
    clientDataJSON: string;
    /** Base64url. */
    signature: string;
    /** The user's handle, base64url; discoverable credentials have it. */
    userHandle?: string | null | undefined;
}
/** Wishes for an authentication. */
export interface AssertionWish {
    /**
     * If left out `discouraged` for a challenge, where the key is a second factor, else `preferred`;
     * never less than the policy's minimum.
     */
    userVerification?: UserVerification | null | undefined;
}
/** Whether the authenticator is part of the device or a thing of its own. */
export type Attachment = "platform" | "cross-platform";
/** Whether the authenticator tells its make. */
export type Attestation = "none" | "indirect" | "direct" | "enterprise";
/** The `response` of a registration. */
export interface AttestationResponse {
    /** Base64url. */
    attestationObject: string;
    /** Base64url. */
    clientDataJSON: string;
    /** How the authenticator can be reached. */
    transports?: string[] | null | undefined;
}
/** The head of the tenant's chain in a shard, signed. */
export interface AuditCheckpoint {
    /** The time of the last event; 1970 if there is none. */
    at: Time;
    /** The hash after it, hex; zeros if there is none. */
    hash: string;
    /** The last event's place; 0 if there is none. */
    sequence: number;
    /** In which shard. */
    shard: number;
    /**
     * A compact JWS (RFC 7515) of type `audit-head+jws` over `{iss, clusterId, tenant, shards, shard,
     * sequence, hash, at, startSequence, startHash, iat}`, by a key of `/.well-known/jwks.json`.
     *     `shards` is how many there are, `iat` the time of signing in seconds.
     */
    signature: string;
    /** The hash after the last of them, hex; zeros if none was. */
    startHash: string;
    /** Events up to this place were removed since they are no longer kept; 0 if none was. */
    startSequence: number;
}
/** A page of a listing. */
export interface AuditCheckpointList {
    /** The rows. */
    data: AuditCheckpoint[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** One thing that was decided. */
export interface AuditEvent {
    /** The id of the API key that asked; null for the system itself. */
    actor: string | null;
    /** When. */
    at: Time;
    /** The challenge concerned. */
    challengeId: string | null;
    /**
     * More, by stable names.
     * @example {}
     */
    details: {
        [key: string]: string;
    };
    /** The factor concerned. */
    factorId: string | null;
    /**
     * Its id, unique within the tenant.
     * @example evt_0_42
     */
    id: string;
    /**
     * The person's address, where known.
     * @example 203.0.113.7
     */
    ipAddress: string | null;
    /** How it went. */
    outcome: Open<Outcome>;
    /** What it takes to verify the event offline. */
    proof: AuditProof;
    /**
     * The stand-in that outlives the user.
     * @example psn_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    pseudonym: string | null;
    /**
     * Why, as a stable word.
     * @example invalid_code
     */
    reason: string | null;
    /**
     * What, dotted.
     * @example mfa.challenge.verified
     */
    type: string;
    /**
     * Whose; null if it is no user's or the user was erased.
     * @example user_42
     */
    userId: string | null;
}
/** A page of a listing. */
export interface AuditEventList {
    /** The rows. */
    data: AuditEvent[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** An event's place in the tenant's hash chain in its shard. */
export interface AuditProof {
    /**
     * The personal part's bytes, base64; null if the user was erased. The chained bytes hold its
     * salted digest.
     */
    annex: string | null;
    /** The chained bytes, base64. */
    chained: string;
    /** The chain's hash after this event, hex: SHA-256 over the hash before it and `chained`. */
    hash: string;
    /** The place in the tenant's chain there, from 1. */
    sequence: number;
    /** In which shard. */
    shard: number;
}
/** An `AuthenticationResponseJSON`. */
export interface AuthenticationResponseJSON {
    /** The credential's id, base64url. */
    id: string;
    /** The same. */
    rawId: string;
    /** What the authenticator answered. */
    response: AssertionResponse;
    /** `public-key`. */
    type: string;
}
/** What an authenticator must be like. */
export interface AuthenticatorSelection {
    /** Where it is; absent for any. */
    authenticatorAttachment?: Open<Attachment> | undefined;
    /** The same for browsers of Level 1. */
    requireResidentKey: boolean;
    /** Whether the credential can be found without its id. */
    residentKey: Open<ResidentKey>;
    /** Whether the person must be verified. */
    userVerification: Open<UserVerification>;
}
/** How many users, as it is and as it would be. */
export interface BeforeAndAfter {
    /**
     * As it would be.
     * @example 1200
     */
    after: number;
    /**
     * As it is.
     * @example 890
     */
    before: number;
}
/** What is known of a browser. */
export interface BrowserContext {
    /**
     * The person's address.
     * @example 203.0.113.7
     */
    ipAddress?: string | null | undefined;
    /**
     * The browser's `User-Agent`; the first 256 characters count.
     * @example Mozilla/5.0
     */
    userAgent?: string | null | undefined;
}
/** A challenge. */
export interface Challenge {
    /**
     * Wrong answers left.
     * @example 5
     */
    attemptsRemaining: number;
    /** Until when it can be answered. */
    expiresAt: Time;
    /** What can answer it, the primary first. */
    factors: ChallengeFactor[];
    /**
     * Its id.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /** What answers it. */
    kind: Open<ChallengeKind>;
    /**
     * What became of the message that was asked for last, since the challenge was made; null if none
     * was.
     */
    lastMessage: SentMessage | null;
    /** Why it was asked. */
    purpose: Open<ChallengePurpose>;
    /** Whether a recovery code would do. */
    recoveryCodesAvailable: boolean;
    /** How it stands. */
    status: Open<ChallengeStatus>;
    /**
     * Whose it is.
     * @example user_42
     */
    userId: string;
}
/** Whether a login needs a second factor. Every field is always present. */
export interface ChallengeAnswer {
    /** The challenge to answer; null if none is needed. */
    challenge: Challenge | null;
    /** Whether the user should enroll. */
    enrollmentRequired: boolean;
    /** Until when the user may go without; null if no grace runs. */
    gracePeriodEndsAt: Time | null;
    /** Whether it does. */
    mfaRequired: boolean;
    /** Why. */
    reason: Open<ChallengeReason>;
    /** A token of `acr` `aal1`, if no second factor is needed; else null. */
    tokens: Tokens | null;
    /** The signs of risk that fired. */
    triggers: Open<RiskTrigger>[];
}
/** A factor that can answer a challenge. */
export interface ChallengeFactor {
    /**
     * Its id.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /** Where codes are sent, masked; null for factors that are not sent codes. */
    maskedDestination: string | null;
    /**
     * The name that its user gave it.
     * @example Phone
     */
    name: string | null;
    /** Whether it is offered first. */
    primary: boolean;
    /** Its kind. */
    type: Open<FactorType>;
}
/** What answers a challenge: a proof of a factor, or the confirmation of a new enrollment. */
export type ChallengeKind = "PROOF" | "ENROLLMENT_REQUIRED";
/** Why the application asks. */
export type ChallengePurpose = "LOGIN" | "STEP_UP";
/** Why a second factor is, or is not, asked for. */
export type ChallengeReason = "POLICY_DISABLED" | "NOT_ENROLLED" | "USER_ENROLLED" | "GRACE_PERIOD" | "ENROLLMENT_REQUIRED" | "POLICY_REQUIRED" | "LOW_RISK" | "RISK" | "TRUSTED_DEVICE";
/** How a challenge stands. */
export type ChallengeStatus = "PENDING" | "VERIFIED" | "FAILED" | "EXPIRED";
/** The cluster, as the node that answers sees it. */
export interface Cluster {
    /**
     * Its id.
     * @example clu_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    clusterId: string;
    /** The nodes. */
    nodes: ClusterNode[];
    /** The shards. */
    shards: ClusterShard[];
    /**
     * The answering node's version.
     * @example 0.1.0
     */
    version: string;
}
/** How far a node's log is behind its leader's. */
export interface ClusterFollower {
    /**
     * How many committed entries its log lacks.
     * @example 0
     */
    behind: number;
    /**
     * The node.
     * @example 2
     */
    node: number;
}
/** A node. */
export interface ClusterNode {
    /**
     * Where its API listens.
     * @example 127.0.0.1:8081
     */
    apiAddress: string;
    /**
     * How far its clock is ahead of the answering node's, in milliseconds; behind if negative, null
     * if it did not answer lately.
     * @example 3
     */
    clockOffsetMs: number | null;
    /**
     * Its number, never used again.
     * @example 1
     */
    id: number;
    /**
     * Its name.
     * @example n1
     */
    name: string;
    /**
     * Where its peers reach it.
     * @example 127.0.0.1:7081
     */
    peerAddress: string;
    /**
     * `UP`, or what else is known of it.
     * @example UP
     */
    state: string;
}
/** A shard: one Raft group. */
export interface ClusterShard {
    /**
     * The last log index that the answering node knows to be committed.
     * @example 1042
     */
    committed: number;
    /**
     * How many entries each other node's log lacks, as the leader knows: empty unless the
     * answering node leads.
     */
    followers: ClusterFollower[];
    /**
     * Which.
     * @example 0
     */
    id: number;
    /**
     * The last log index that the answering node applied.
     * @example 1042
     */
    lastApplied: number;
    /**
     * The leading node; null while there is none.
     * @example 1
     */
    leader: number | null;
    /**
     * Nodes that only listen.
     * @example []
     */
    learners: number[];
    /**
     * The term.
     * @example 1
     */
    term: number;
    /**
     * How far the time of the shard is ahead of real time, in milliseconds. It never goes back, so it
     * is ahead once it was given by a clock that was.
     * @example 0
     */
    timeAheadMs: number;
    /**
     * Voting nodes.
     * @example [
     *       1,
     *       2,
     *       3
     *     ]
     */
    voters: number[];
}
/** A code on its way. The code itself is in no answer. */
export interface CodeSent {
    /** When the code dies. */
    expiresAt: Time;
    /**
     * The factor, enrolled or waiting, that the code proves.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
    /**
     * Where it is sent, masked.
     * @example +•••••••71
     */
    maskedDestination: string;
    /** When the next one may be asked for. */
    resendAvailableAt: Time;
}
/** A factor that was just confirmed, with a token if the confirmation answered a challenge. */
export type ConfirmedFactor = Factor & {
    /** A token of `acr` `aal2`, if `challengeId` named a challenge; else null. */
    tokens: Tokens | null;
};
/** Stops sending to a prefix where hardly any code is used. */
export interface ConversionPolicy {
    /** Whether it does. */
    enabled: boolean;
    /**
     * The least part of them, in percent, that must have led to a verification.
     * @example 20
     */
    minPercent: number;
    /**
     * Messages of the last hour, those of the last ten minutes left out, before it judges.
     * @example 30
     */
    minSends: number;
}
/** Makes an API key. */
export interface CreateApiKey {
    /**
     * When it ends; never if left out.
     * @example 2027-01-31T00:00:00Z
     */
    expiresAt?: string | null | undefined;
    /**
     * A name for it. May be left out of a root key.
     * @example login service
     */
    name?: string | null | undefined;
    /**
     * Whether it is a root key, which may also make and remove tenants and never expires. Only a
     * root key makes another.
     */
    root?: boolean | null | undefined;
    /**
     * What it may do; at least one, and none that the asking key lacks. Left out of a root key,
     * which has them all.
     * @example [
     *       "mfa"
     *     ]
     */
    scopes?: Scope[] | null | undefined;
}
/** Asks whether a login needs a second factor, once the password was checked. */
export interface CreateChallenge {
    /** What is known of the login. The more, the better risk is judged. */
    context?: LoginContext | null | undefined;
    /** Why; LOGIN if left out. */
    purpose?: ChallengePurpose | null | undefined;
    /**
     * Your own id of the user.
     * @example user_42
     */
    userId: string;
}
/** A fresh API key. The key itself is shown once. */
export type CreatedApiKey = ApiKey & {
    /**
     * The key.
     * @example csk_…
     */
    key: string;
};
/** A fresh tenant, with its first API key. */
export type CreatedTenant = Tenant & {
    /** Its first API key, of all scopes. */
    apiKey: CreatedApiKey;
};
/** Asks for a link to the hosted pages. */
export interface CreatePortalSession {
    /**
     * The challenge to answer, with CHALLENGE; with ENROLL one of kind ENROLLMENT_REQUIRED, if the
     * enrollment is to answer it.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    challengeId?: string | null | undefined;
    /**
     * What you know of the browser that you send there. The pages see its address themselves, if
     * the node knows your proxies (`trusted_proxies`); else what you say here counts.
     */
    context?: BrowserContext | null | undefined;
    /** What the user is sent there for. */
    purpose: PortalPurpose;
    /**
     * Under which name the code is added; `countersign_result` if left out. `code` is also what
     * libraries for OAuth look for, and take for an authorization code.
     */
    resultParameter?: ResultParameter | null | undefined;
    /**
     * Where the browser goes in the end, with the result's code added to its query; of one of the
     *     `origins` in the settings.
     * @example https://app.acme.example/mfa/back?state=x7k2
     */
    returnUrl: string;
    /**
     * Your own id of the user.
     * @example user_42
     */
    userId: string;
}
/** Makes a tenant. */
export interface CreateTenant {
    /**
     * Its name.
     * @example Acme
     */
    name: string;
}
/** Tells events to an endpoint. */
export interface CreateWebhook {
    /**
     * What it is for.
     * @example Security team
     */
    description?: string | null | undefined;
    /**
     * Which events: types such as `mfa.factor.enrolled`, or beginnings of types that end in `*`.
     * @example [
     *       "mfa.*"
     *     ]
     */
    events: string[];
    /**
     * Where events are posted: `https://…`, to a public address unless the operator allows others.
     * @example https://acme.example/hooks/mfa
     */
    url: string;
}
/** What is asked besides. */
export interface CreationExtensions {
    /** See section 10.1.3. */
    credProps: boolean;
}
/** A credential. */
export interface CredentialDescriptor {
    /** Its id, base64url. */
    id: string;
    /** How it can be reached. */
    transports: string[];
    /** Always `public-key`. */
    type: string;
}
/** A kind of key. */
export interface CredentialParameters {
    /**
     * Its number in the COSE registry: -8 EdDSA, -7 ES256, -257 RS256.
     * @example -7
     */
    alg: number;
    /** Always `public-key`. */
    type: string;
}
/** What a credential is like. */
export interface CredentialProperties {
    /** Whether it can be found without its id. */
    rk?: boolean | null | undefined;
}
/** How a delivery stands. */
export type DeliveryStatus = "PENDING" | "DELIVERED" | "DEAD";
/** The body of a call that needs none: nothing, or `{}`. */
export type EmptyObject = Record<string, never>;
/** The body of a call that needs none: nothing, or `{}`. */
export type EmptyObjectInput = Record<string, never>;
/** Begins the enrollment of the user's verified email address. Nothing is sent yet. */
export interface EnrollEmail {
    /**
     * A name for the factor.
     * @example Mailbox
     */
    name?: string | null | undefined;
}
/** Begins the enrollment of a telephone number. Nothing is sent yet. */
export interface EnrollSms {
    /**
     * A name for the factor.
     * @example Phone
     */
    name?: string | null | undefined;
    /**
     * The number with its country code: valid, of a country, and none that costs or takes no
     * messages (premium-rate, toll-free, shared-cost, personal, pager, universal access, voicemail).
     * It is kept in E.164, however it is written here.
     * @example +14155552671
     */
    phoneNumber: string;
}
/** Begins the enrollment of an authenticator app. Every field may be left out. */
export interface EnrollTotp {
    /**
     * The account name that the app shows; the user's email address or id if left out.
     * @example ann@example.com
     */
    accountName?: string | null | undefined;
    /** The hash; SHA1 if left out, which every app knows. */
    algorithm?: Algorithm | null | undefined;
    /**
     * Digits of a code, 6 or 8; 6 if left out.
     * @example 6
     */
    digits?: number | null | undefined;
    /**
     * A name for the factor.
     * @example Phone
     */
    name?: string | null | undefined;
    /**
     * Seconds of a time step, 15–120; 30 if left out.
     * @example 30
     */
    period?: number | null | undefined;
    /**
     * The `factorId` of an enrollment that the same browser began before. While it waits, and with
     * the same parameters, the answer has the same secret again; else a new one.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    resume?: string | null | undefined;
}
/** Results of extensions, as far as they are read. */
export interface ExtensionResults {
    /** Section 10.1.3. */
    credProps?: CredentialProperties | null | undefined;
}
/** Something that a user enrolled. */
export interface Factor {
    /** When it was confirmed. */
    createdAt: Time;
    /**
     * Its id.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /** Its last successful use. */
    lastUsedAt: Time | null;
    /** Where codes are sent, masked; null for factors that are not sent codes. */
    maskedDestination: string | null;
    /**
     * The name that its user gave it.
     * @example Phone
     */
    name: string | null;
    /** Whether it is offered first. */
    primary: boolean;
    /** Whether it is enrolled. */
    status: Open<FactorStatus>;
    /** Its kind. */
    type: Open<FactorType>;
    /**
     * Whether it counts and is offered in logins: false for what the policy does not allow, and for
     * keys that were registered for another `rpId` than the settings have.
     */
    usable: boolean;
    /** What is known of a security key or passkey; null for other factors. */
    webauthn: WebAuthn | null;
}
/** A page of a listing. */
export interface FactorList {
    /** The rows. */
    data: Factor[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** Whether a factor is enrolled. Only ACTIVE ones are ever listed or asked for. */
export type FactorStatus = "ACTIVE";
/** A kind of factor. */
export type FactorType = "TOTP" | "SMS" | "EMAIL" | "WEBAUTHN";
/** Fetches what came of a session. */
export interface FetchPortalResult {
    /**
     * The code that the browser brought back, as `countersign_result` or as `code`.
     * @example pcd_…
     */
    code: string;
}
/** What is wrong with one field. */
export interface FieldError {
    /**
     * What is wrong with it.
     * @example must not be empty
     */
    detail: string;
    /**
     * A JSON pointer (RFC 6901) into the body; for a query parameter, `/` and its name.
     * @example /code
     */
    pointer: string;
}
/** A length of time. */
export interface GracePeriod {
    /** The unit. */
    unit: Open<GraceUnit>;
    /**
     * How many units; 0 for none, at most a year.
     * @example 7
     */
    value: number;
}
/** A unit of the grace period. */
export type GraceUnit = "MINUTES" | "HOURS" | "DAYS";
/** A rule for the users of a group. */
export interface GroupRule {
    /**
     * What counts; the tenant's own if left out or null.
     * @example [
     *       "TOTP"
     *     ]
     */
    allowedFactors: Open<FactorType>[] | null;
    /**
     * The group's name, as the users carry it.
     * @example admins
     */
    group: string;
    /** What it demands. */
    requirement: Open<Requirement>;
}
/** A rule for the users of a group. */
export interface GroupRuleInput {
    /**
     * What counts; the tenant's own if left out or null.
     * @example [
     *       "TOTP"
     *     ]
     */
    allowedFactors?: FactorType[] | null | undefined;
    /**
     * The group's name, as the users carry it.
     * @example admins
     */
    group: string;
    /** What it demands. */
    requirement: Requirement;
}
/** Takes over a secret that an authenticator app already has: by `secret`, or by `uri` alone. */
export interface ImportTotp {
    /** The hash; SHA1 if left out. */
    algorithm?: Algorithm | null | undefined;
    /**
     * Digits of a code, 6 or 8; 6 if left out.
     * @example 6
     */
    digits?: number | null | undefined;
    /**
     * A name for the factor.
     * @example Phone
     */
    name?: string | null | undefined;
    /**
     * Seconds of a time step, 15–120; 30 if left out.
     * @example 30
     */
    period?: number | null | undefined;
    /**
     * The shared secret in base32, 10–128 bytes; case, spaces, padding and bits that make no byte do
     * not matter.
     * @example JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP
     */
    secret?: string | null | undefined;
    /**
     * An `otpauth://totp/…` address, as apps and other services export it: secret, hash, digits and
     * period are taken from it.
     * @example otpauth://totp/Acme:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme
     */
    uri?: string | null | undefined;
}
/**
 * What is true of the issuer of access tokens. Of what OpenID Connect and OAuth ask for, the
 * endpoints are missing: tokens come from the API alone.
 */
export interface IssuerMetadata {
    /** What `acr` may be. */
    acr_values_supported: string[];
    /** What tokens may say. */
    claims_supported: string[];
    /** None. */
    grant_types_supported: string[];
    /** How tokens are signed: libraries read here what they accept. */
    id_token_signing_alg_values_supported: string[];
    /**
     * The tokens' `iss`.
     * @example https://mfa.acme.example
     */
    issuer: string;
    /**
     * Where the keys are that verify tokens.
     * @example https://mfa.acme.example/.well-known/jwks.json
     */
    jwks_uri: string;
    /** `false`. */
    request_parameter_supported: boolean;
    /** `false`. */
    request_uri_parameter_supported: boolean;
    /** None: nobody is authorized here. */
    response_types_supported: string[];
    /**
     * The API's pages.
     * @example https://mfa.acme.example/docs
     */
    service_documentation: string;
    /** `public`: a user has one `sub` for all. */
    subject_types_supported: string[];
    /** None. */
    token_endpoint_auth_methods_supported: string[];
}
/** The public half of a signing key (RFC 7517 section 4, RFC 7518 section 6.2). */
export interface Jwk {
    /** `ES256`. */
    alg: string;
    /** `P-256`. */
    crv: string;
    /** The RFC 7638 thumbprint. */
    kid: string;
    /** `EC`. */
    kty: string;
    /** `sig`. */
    use: string;
    /** The x coordinate, base64url. */
    x: string;
    /** The y coordinate, base64url. */
    y: string;
}
/** The keys that verify access tokens (RFC 7517 section 5). */
export interface JwkSet {
    /** The newest first. */
    keys: Jwk[];
}
/** A place. */
export interface Location {
    /**
     * A city's name; the first 100 characters count.
     * @example San Francisco
     */
    city?: string | null | undefined;
    /**
     * ISO 3166-1 alpha-2. What is no country's code (`T1`, `XX`, `EU`, `ZZ`) is a place that is
     * never known.
     * @example US
     */
    country?: string | null | undefined;
    /**
     * Degrees, −90 to 90; goes with `longitude`.
     * @example 37.7
     */
    latitude?: number | null | undefined;
    /**
     * Degrees, −180 to 180; goes with `latitude`.
     * @example -122.4
     */
    longitude?: number | null | undefined;
    /**
     * A region's code or name; the first 100 characters count.
     * @example CA
     */
    region?: string | null | undefined;
}
/** Slowing down guesses. */
export interface LockoutPolicy {
    /**
     * The first delay in seconds.
     * @example 30
     */
    baseDelaySeconds: number;
    /**
     * Wrong codes in a row after which only an administrator unlocks.
     * @example 100
     */
    hardLimit: number;
    /**
     * Wrong codes in a row before the first delay.
     * @example 5
     */
    maxAttempts: number;
    /**
     * The longest delay in seconds.
     * @example 3600
     */
    maxDelaySeconds: number;
}
/**
 * What is known of a login. Nothing in it that cannot be used ends the login: it is read as what it
 * means where that is plain, and else taken as not told.
 */
export interface LoginContext {
    /**
     * Your own id of the device.
     * @example device-7
     */
    deviceId?: string | null | undefined;
    /** The `deviceToken` of an earlier verification. */
    deviceToken?: string | null | undefined;
    /**
     * The person's address. A port, brackets and a zone are left out; of a list the last counts.
     * @example 203.0.113.7
     */
    ipAddress?: string | null | undefined;
    /** Where the person is. */
    location?: Location | null | undefined;
    /**
     * The browser's `User-Agent`; the first 256 characters count. Without `deviceId` the device is
     * known by the browser's family and platform, whatever their versions.
     * @example Mozilla/5.0
     */
    userAgent?: string | null | undefined;
}
/** A number or an address that waits for its confirmation. */
export interface MessageEnrollment {
    /** When the enrollment ends unconfirmed. */
    expiresAt: Time;
    /**
     * The id that the factor will have.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
    /**
     * Where codes will be sent, masked.
     * @example +•••••••71
     */
    maskedDestination: string;
}
/**
 * Words of your own, with `{{code}}`, `{{issuer}}` and `{{minutes}}` for what is put in; null for
 * the words that the service brings.
 */
export interface Messages {
    /** An email as HTML; what is put in is escaped. */
    emailHtml: string | null;
    /** An email's subject. */
    emailSubject: string | null;
    /** An email as plain text. */
    emailText: string | null;
    /**
     * A text message.
     * @example {{code}} is your {{issuer}} code. It works for {{minutes}} minutes.
     */
    smsText: string | null;
}
/** What became of a message. */
export type MessageStatus = "PENDING" | "SENT" | "FAILED";
/** A user's whole situation. */
export interface MfaStatus {
    /** Whether the user has an ACTIVE factor. */
    enabled: boolean;
    /**
     * How many.
     * @example 1
     */
    factorCount: number;
    /**
     * How many of each type; types without one are left out.
     * @example {
     *       "TOTP": 1
     *     }
     */
    factors: {
        [key: string]: number;
    };
    /**
     * Wrong codes since the last success.
     * @example 0
     */
    failedAttempts: number;
    /** Until when the user may go without a factor; null if no grace runs. */
    gracePeriodEndsAt: Time | null;
    /** Until when codes are refused; null if they are read, or if only an administrator unlocks. */
    lockedUntil: Time | null;
    /** Enrollments that wait for their confirmation. */
    pendingEnrollments: PendingEnrollment[];
    /**
     * Which is offered first.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    primaryFactorId: string | null;
    /**
     * Unused recovery codes.
     * @example 10
     */
    recoveryCodesRemaining: number;
    /** What the policy demands of this user. */
    requirement: Open<Requirement>;
    /**
     * Trusted devices.
     * @example 0
     */
    trustedDeviceCount: number;
    /** Whether codes are refused until an administrator unlocks. */
    unlockRequired: boolean;
}
/** That a node is well. */
export interface NodeStatus {
    /**
     * `UP` for the process, `READY` for its service.
     * @example READY
     */
    status: string;
}
/** How it went. */
export type Outcome = "SUCCESS" | "FAILURE";
/** The password changed. */
export interface PasswordChanged {
    /**
     * When; now if left out, never later. What was begun after that goes on.
     * @example 2026-01-31T12:00:00.000Z
     */
    at?: string | null | undefined;
}
/** An enrollment that waits for its confirmation. */
export interface PendingEnrollment {
    /** When the enrollment ends unconfirmed. */
    expiresAt: Time;
    /**
     * The id that the factor will have.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
    /** What became of the message that was asked for last; null if none was. */
    lastMessage: SentMessage | null;
    /**
     * Where codes are sent, masked; null for an authenticator app.
     * @example +•••••••71
     */
    maskedDestination: string | null;
    /** Its kind. */
    type: Open<FactorType>;
}
/** A tenant's policy. */
export interface Policy {
    /** What counts as a second factor. */
    allowedFactors: Open<FactorType>[];
    /** How long a user may go without a factor under REQUIRED. */
    gracePeriod: GracePeriod;
    /** Rules that replace the tenant's own for users of a group; the strictest that fits wins. */
    groups: GroupRule[];
    /** How guessing is slowed down. */
    lockout: LockoutPolicy;
    /**
     * How many recovery codes make a set.
     * @example 10
     */
    recoveryCodesCount: number;
    /** What is demanded of a user in no listed group. */
    requirement: Open<Requirement>;
    /** How often codes may be sent. */
    sends: SendsPolicy;
    /**
     * Networks from which every login is suspicious.
     * @example [
     *       "198.51.100.0/24"
     *     ]
     */
    suspiciousIpRanges: string[];
    /** Which signs of risk fire under RISK_BASED. */
    triggers: TriggersPolicy;
    /** Whether and for how long browsers may be trusted. */
    trustedDevices: TrustedDevicesPolicy;
    /** The last change. */
    updatedAt: Time;
    /**
     * Counts the changes; send it with a PATCH to change only what you saw.
     * @example 3
     */
    version: number;
    /** What is demanded of security keys and passkeys. */
    webauthn: WebAuthnPolicy;
}
/**
 * What a change of the policy would mean for users who log in, were it made now. Trusted devices
 * are not taken into account.
 */
export interface PolicyPreview {
    /**
     * Users who would have something else to expect.
     * @example 310
     */
    affected: number;
    /** Users who are asked for a factor that they have, at every login. */
    challenged: BeforeAndAfter;
    /** Users who are asked only if a sign of risk is seen. */
    challengedAtRisk: BeforeAndAfter;
    /** Whether these are all. If not, they are a fair share, and time was up. */
    complete: boolean;
    /** Users who must enroll a factor before their grace period ends, and get in until then. */
    inGrace: BeforeAndAfter;
    /** Users who must enroll a factor before they get in. */
    mustEnroll: BeforeAndAfter;
    /** Users who are not asked for anything. */
    notAsked: BeforeAndAfter;
    /**
     * How many were looked at; all else counts these.
     * @example 1204
     */
    scanned: number;
    /**
     * How many users there are: an estimate if not all were looked at, null if too few were.
     * @example 1204
     */
    users: number | null;
    /** Users who have no factor that counts, whatever is asked of them. */
    withoutUsableFactor: BeforeAndAfter;
}
/** What somebody is sent to the hosted pages for. */
export type PortalPurpose = "ENROLL" | "CHALLENGE" | "MANAGE";
/** What came of a session. Every field is always present. */
export interface PortalResult {
    /**
     * The challenge that came with the link.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    challengeId: string | null;
    /** What to send as `deviceToken` from this browser; null if it is not to be trusted. */
    deviceToken: string | null;
    /** Until when the browser is trusted. */
    deviceTokenExpiresAt: Time | null;
    /**
     * The factor that answered the challenge, null for a recovery code; else the one that was
     * enrolled last, if one was.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string | null;
    /** What the user was sent for. */
    purpose: Open<PortalPurpose>;
    /** Whether what the user was sent for was done. */
    status: Open<PortalStatus>;
    /** A token of `acr` `aal2`, if the challenge was answered; else null. */
    tokens: Tokens | null;
    /**
     * Whose session it was. Compare it with the user that you sent.
     * @example user_42
     */
    userId: string;
}
/** A link to the hosted pages. */
export interface PortalSession {
    /** Until when it can be opened. */
    expiresAt: Time;
    /**
     * Where to send the user's browser. It opens one session, in one browser. Looking at it uses
     * nothing up: it may be mailed.
     * @example https://mfa.acme.example/portal/open/pts_…
     */
    url: string;
}
/** Whether what somebody was sent to the hosted pages for was done. */
export type PortalStatus = "COMPLETED" | "CANCELLED";
/** The body of a failed request (RFC 9457 section 3.1, with extension members). */
export interface Problem {
    /** Wrong codes left before something ends or locks, on `invalid_code`. */
    attemptsRemaining?: number | undefined;
    /**
     * How far the device's clock is ahead, about; negative if it is behind. On
     *     `authenticator_clock_off`.
     */
    clockOffsetSeconds?: number | undefined;
    /**
     * A stable word to branch on.
     *
     * Known values: `invalid_request`, `unauthenticated`, `forbidden`, `mfa_disabled`, `factor_not_allowed`, `user_not_found`, `factor_not_found`, `challenge_not_found`, `no_pending_enrollment`, `not_found`, `method_not_allowed`, `recovery_codes_exist`, `factor_limit_reached`, `factor_already_enrolled`, `idempotency_key_reused`, `conflict`, `challenge_expired`, `code_expired`, `enrollment_expired`, `payload_too_large`, `unsupported_media_type`, `validation_failed`, `invalid_code`, `code_already_used`, `invalid_assertion`, `authenticator_clock_off`, `authenticator_settings_ignored`, `enrollment_replaced`, `email_not_verified`, `too_many_attempts`, `too_many_sends`, `rate_limited`, `overloaded_user`, `internal`, `delivery_not_configured`, `unavailable`. More may be added.
     */
    code: string;
    /** What happened this time. */
    detail: string;
    /** What is wrong with which field, on `validation_failed`. */
    errors?: FieldError[] | undefined;
    /**
     * What was wrong with the authenticator's answer, as in the audit log, on `invalid_assertion`. With
     *     `backup_eligibility_changed` and `counter` another try cannot succeed: offer another factor.
     */
    reason?: string | undefined;
    /** The request's id, as in `X-Request-Id`. */
    requestId: string;
    /** Seconds to wait, wherever waiting helps; the same as `Retry-After`. */
    retryAfterSeconds?: number | undefined;
    /** The HTTP status. */
    status: number;
    /** What the code means, the same every time. */
    title: string;
    /** The address of a page that explains the code. */
    type: string;
}
/** A `PublicKeyCredentialCreationOptionsJSON`. */
export interface PublicKeyCredentialCreationOptionsJSON {
    /** Whether the authenticator tells its make. */
    attestation: Open<Attestation>;
    /** What the authenticator must be like. */
    authenticatorSelection: AuthenticatorSelection;
    /** What the authenticator signs; base64url. */
    challenge: string;
    /** Credentials whose authenticators must not register again. */
    excludeCredentials: CredentialDescriptor[];
    /** Asks for `credProps`, which says whether the key can be found without its id. */
    extensions: CreationExtensions;
    /** What kinds of authenticator to offer first. */
    hints: string[];
    /** Which keys are good, the best first. */
    pubKeyCredParams: CredentialParameters[];
    /** Whom the credential is for. */
    rp: RelyingParty;
    /**
     * How long the ceremony is open, in milliseconds.
     * @example 300000
     */
    timeout: number;
    /** Whose it will be. */
    user: UserEntity;
}
/** A `PublicKeyCredentialRequestOptionsJSON`. */
export interface PublicKeyCredentialRequestOptionsJSON {
    /** The user's credentials: no other is accepted. */
    allowCredentials: CredentialDescriptor[];
    /** What the authenticator signs; base64url. */
    challenge: string;
    /** What kinds of authenticator to offer first. */
    hints: string[];
    /**
     * The relying party's id.
     * @example example.com
     */
    rpId: string;
    /**
     * How long the ceremony is open, in milliseconds.
     * @example 300000
     */
    timeout: number;
    /** Whether the person must be verified. */
    userVerification: Open<UserVerification>;
}
/** Who a user is. Replaces what was told before; what is left out is taken away. */
export interface PutUser {
    /**
     * A name to show.
     * @example Ann Example
     */
    displayName?: string | null | undefined;
    /**
     * An email address that mail can be sent to (RFC 5321), international domains included.
     * @example ann@example.com
     */
    email?: string | null | undefined;
    /** Whether you verified it; false if left out. */
    emailVerified?: boolean | null | undefined;
    /**
     * Names of groups that policy rules may fit.
     * @example [
     *       "admins"
     *     ]
     */
    groups?: string[] | null | undefined;
    /**
     * A telephone number with its country code; kept in E.164.
     * @example +14155550123
     */
    phoneNumber?: string | null | undefined;
}
/** Fresh recovery codes. Shown once. */
export interface RecoveryCodes {
    /**
     * Twelve characters each, in three groups.
     * @example [
     *       "7K3M-9QTX-B2WD",
     *       "C8HN-4ZPV-0RJ6"
     *     ]
     */
    codes: string[];
}
/** How many recovery codes there are. */
export interface RecoveryCodesStatus {
    /** When the set was made; null if there is none. */
    generatedAt: Time | null;
    /**
     * Unused.
     * @example 9
     */
    remaining: number;
    /**
     * In the set.
     * @example 10
     */
    total: number;
}
/** A recovery code was right, and is spent. */
export interface RecoveryCodeUsed {
    /**
     * How many are left.
     * @example 9
     */
    remaining: number;
    /**
     * Always true: a wrong code is a problem.
     * @example true
     */
    verified: boolean;
}
/** A `RegistrationResponseJSON`. */
export interface RegistrationResponseJSON {
    /**
     * Where the authenticator is, if the browser says. What is unknown is taken for nothing (W3C
     * WebAuthn Level 3 section 5.1).
     */
    authenticatorAttachment?: Attachment | null | undefined;
    /** Results of extensions. */
    clientExtensionResults?: ExtensionResults | null | undefined;
    /** The credential's id, base64url. */
    id: string;
    /** The same. */
    rawId: string;
    /** What the authenticator answered. */
    response: AttestationResponse;
    /** `public-key`. */
    type: string;
}
/** Wishes for a registration; what is left out is for the policy and the defaults. */
export interface RegistrationWish {
    /** If left out `none`, or `direct` where the policy lists models. */
    attestation?: Attestation | null | undefined;
    /** Any if left out. */
    authenticatorAttachment?: Attachment | null | undefined;
    /** `discouraged` if left out, since the user is known before a key is asked for. */
    residentKey?: ResidentKey | null | undefined;
    /**
     * `discouraged` if left out, since the key is a second factor; never less than the policy's
     * minimum.
     */
    userVerification?: UserVerification | null | undefined;
}
/** A relying party. */
export interface RelyingParty {
    /**
     * A domain name.
     * @example example.com
     */
    id: string;
    /**
     * A name to show.
     * @example Acme
     */
    name: string;
}
/** When a second factor is asked for. */
export type Requirement = "DISABLED" | "OPTIONAL" | "REQUIRED" | "RISK_BASED";
/** Ends a user's factors, recovery codes, trusted devices, enrollments and challenges. */
export interface ResetMfa {
    /**
     * Why, for the audit log. Nothing personal.
     * @example phone lost, identity checked by support
     */
    reason?: string | null | undefined;
}
/** Whether the credential can be found without its id, as passkeys are. */
export type ResidentKey = "discouraged" | "preferred" | "required";
/**
 * Under which name the code is added; `countersign_result` if left out. `code` is also what
 * libraries for OAuth look for, and take for an authorization code.
 */
export type ResultParameter = "countersign_result" | "code";
/** A sign of risk. */
export type RiskTrigger = "NEW_DEVICE" | "NEW_LOCATION" | "SUSPICIOUS_IP" | "PASSWORD_CHANGED";
/** Signs with a new secret. */
export interface RotateWebhookSecret {
    /**
     * For how many seconds the old secret signs as well; a day if left out.
     * @example 86400
     */
    overlapSeconds?: number | null | undefined;
}
/** What an API key may do. */
export type Scope = "mfa" | "policy" | "admin" | "audit" | "keys" | "cluster";
/** Sends a code for a challenge. */
export interface SendChallengeCode {
    /**
     * To which of the challenge's factors: an SMS or an EMAIL one.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
}
/** Limits on sent codes. */
export interface SendsPolicy {
    /**
     * Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all. A calling code (`+44`)
     * stands for all countries that have it: `GB` alone leaves out `GG`, `IM` and `JE`.
     * @example [
     *       "US",
     *       "CA"
     *     ]
     */
    allowedCountries: string[];
    /**
     * Countries or calling codes that none go to, even if they are allowed.
     * @example []
     */
    blockedCountries: string[];
    /** When sending to a prefix stops because hardly any code that is sent there is used. */
    conversion: ConversionPolicy;
    /**
     * Seconds between two codes of one factor.
     * @example 30
     */
    cooldownSeconds: number;
    /**
     * Codes of one user in a day.
     * @example 20
     */
    perDay: number;
    /**
     * Codes to one number or address in a day, over all users.
     * @example 20
     */
    perDestinationPerDay: number;
    /**
     * Text messages to one prefix (country and operator) in an hour.
     * @example 300
     */
    perPrefixPerHour: number;
    /**
     * Messages of the tenant in a day, text messages and emails each.
     * @example 10000
     */
    perTenantPerDay: number;
    /**
     * Codes of one user in ten minutes.
     * @example 5
     */
    perTenMinutes: number;
}
/** A message that was asked for. */
export interface SentMessage {
    /** How it travels: as SMS or as EMAIL. */
    channel: Open<FactorType>;
    /**
     * To which factor, or to which one that waits for its confirmation.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
    /**
     * Why it failed, as a stable word: the provider's own code as `provider_21610`, or one of ours
     * such as `expired`; else null.
     * @example provider_21610
     */
    reason: string | null;
    /** When it was asked for. */
    requestedAt: Time;
    /** What became of it. */
    status: Open<MessageStatus>;
}
/** A tenant's settings. */
export interface Settings {
    /** When something is odd enough to be told. */
    alerts: Alerts;
    /**
     * The name that authenticator apps show.
     * @example Acme
     */
    issuer: string;
    /** The words of messages. */
    messages: Messages;
    /**
     * Origins from which ceremonies are accepted.
     * @example [
     *       "https://login.acme.example"
     *     ]
     */
    origins: string[];
    /**
     * The WebAuthn relying party id: a domain name.
     * @example acme.example
     */
    rpId: string;
    /**
     * The relying party's display name.
     * @example Acme
     */
    rpName: string;
    /**
     * The tokens' `aud`.
     * @example acme
     */
    tokenAudience: string;
    /**
     * How long an access token lives, in seconds.
     * @example 900
     */
    tokenTtlSeconds: number;
    /** What the tokens' header says they are. */
    tokenType: Open<TokenType>;
}
/** What became of a shard's time. */
export interface ShardTimeSet {
    /**
     * By how many milliseconds it was set back; 0 if it was right.
     * @example 21600000
     */
    setBackMs: number;
}
/** What happened to a tenant's users within a window that ends now. */
export interface Statistics {
    /**
     * From when on all of it was counted, if that is later than the window's beginning; null if
     * nothing is missing.
     */
    countedSince: Time | null;
    /** The slots, the oldest first; the last one is not over. */
    slots: StatisticsSlot[];
    /**
     * How long a slot is.
     * @example 60
     */
    slotSeconds: number;
    /** All slots together. */
    total: StatisticsCounts;
    /** The window. */
    window: Open<StatisticsWindow>;
}
/** How often something happened. */
export interface StatisticsCounts {
    /**
     * Alerts that were raised.
     * @example 0
     */
    alerts: number;
    /**
     * Those of them that were challenged.
     * @example 80
     */
    challenges: number;
    /**
     * Messages with a code that could not be delivered.
     * @example 0
     */
    deliveryFailures: number;
    /**
     * Proofs that were read and refused, be it in a challenge, an enrollment or elsewhere.
     * @example 3
     */
    failures: number;
    /**
     * Users who were locked.
     * @example 1
     */
    lockouts: number;
    /**
     * Logins and step-ups about which was asked.
     * @example 120
     */
    logins: number;
    /**
     * Messages with a code that left.
     * @example 14
     */
    sends: number;
    /**
     * Proofs that were right.
     * @example 78
     */
    verifications: number;
}
/** What happened within a slot. */
export type StatisticsSlot = StatisticsCounts & {
    /** When it begins. */
    at: Time;
};
/** How far back is looked, and how finely. */
export type StatisticsWindow = "1h" | "24h";
/** A tenant. */
export interface Tenant {
    /** When it was made. */
    createdAt: Time;
    /**
     * Its id.
     * @example ten_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /**
     * Its name.
     * @example Acme
     */
    name: string;
}
/** A page of a listing. */
export interface TenantList {
    /** The rows. */
    data: Tenant[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/**
 * A point in time: RFC 3339, UTC, milliseconds.
 * @example 2026-01-31T12:00:00.000Z
 */
export type Time = string;
/**
 * What tokens of a tenant say. All tenants' tokens are signed by the same keys, so whoever believes
 * a token compares all three.
 */
export interface TokenFacts {
    /**
     * Their `aud`.
     * @example countersign
     */
    audience: string;
    /**
     * Their `iss`.
     * @example https://mfa.acme.example
     */
    issuer: string;
    /**
     * Their `tenant`.
     * @example default
     */
    tenantId: string;
    /**
     * Seconds until one expires, counted from its making.
     * @example 900
     */
    ttlSeconds: number;
}
/**
 * An access token: an ES256 JWT with `iss, aud, sub, iat, exp, jti, auth_time, acr, amr, tenant`,
 * and `client_id` where the settings' `tokenType` is AT_JWT.
 * Its key is at `/.well-known/jwks.json`.
 */
export interface Tokens {
    /**
     * The token, for the application to verify.
     * @example eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiJ1c2VyXzQyIn0.c2ln
     */
    accessToken: string;
    /**
     * Seconds until it expires, counted from its making.
     * @example 900
     */
    expiresIn: number;
    /**
     * `Bearer`.
     * @example Bearer
     */
    tokenType: string;
}
/** What an access token's header says that it is. */
export type TokenType = "JWT" | "AT_JWT";
/** What an authenticator app needs. Shown once. */
export interface TotpEnrollment {
    /** When the enrollment ends unconfirmed. */
    expiresAt: Time;
    /**
     * The id that the factor will have.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
    /**
     * The QR code as an SVG document, four pixels a module and with its margin: show it as large as
     * it is.
     * @example <svg …></svg>
     */
    qrCodeSvg: string;
    /**
     * The `otpauth://` address that the QR code holds.
     * @example otpauth://totp/Acme:ann@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme
     */
    qrCodeUri: string;
    /**
     * The shared secret in base32 without padding, for typing in.
     * @example JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP
     */
    secret: string;
}
/** What became of the shards that a node led. */
export interface TransferredLeadership {
    /**
     * How many the node leads still, since no other could take them over.
     * @example 0
     */
    kept: number;
    /**
     * How many shards another node leads now.
     * @example 5
     */
    moved: number;
}
/** Signs of risk. */
export interface TriggersPolicy {
    /** The password changed since the last verification. */
    afterPasswordChange: boolean;
    /** A browser not seen before. */
    newDevice: boolean;
    /** A country not seen before, or impossible travel. */
    newLocation: boolean;
    /** A listed network, or an address that keeps failing. */
    suspiciousIp: boolean;
}
/** A browser that a user asked to be remembered in. */
export interface TrustedDevice {
    /** When it was trusted. */
    createdAt: Time;
    /** Until when it does. */
    expiresAt: Time;
    /**
     * Its id.
     * @example dev_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /** When it last stood in for a second factor. */
    lastUsedAt: Time | null;
    /**
     * The name that its user gave it.
     * @example Laptop
     */
    name: string | null;
    /** The browser's `User-Agent` when it was trusted. */
    userAgent: string | null;
}
/** A page of a listing. */
export interface TrustedDeviceList {
    /** The rows. */
    data: TrustedDevice[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** Trusting browsers. */
export interface TrustedDevicesPolicy {
    /**
     * For how many days.
     * @example 30
     */
    durationDays: number;
    /** Whether it is offered at all. */
    enabled: boolean;
}
/** A change of thresholds. */
export interface UpdateAlerts {
    /** Users for whom one address gave wrong codes within ten minutes. */
    addressUsers?: number | null | undefined;
    /** Wrong codes of one user in a row. */
    bruteForceAttempts?: number | null | undefined;
    /** Recovery codes of one user that were used within a day. */
    recoveryCodesPerDay?: number | null | undefined;
    /** Whether spent codes that come again from elsewhere are told. */
    relays?: boolean | null | undefined;
    /** Users reset with one API key within an hour. */
    resetsPerHour?: number | null | undefined;
    /** Whether limits on messages that are reached are told. */
    sendFloods?: boolean | null | undefined;
}
/** A change of when sending to a prefix stops. */
export interface UpdateConversion {
    /** Whether it does. */
    enabled?: boolean | null | undefined;
    /** The least part, in percent, that must have been used. */
    minPercent?: number | null | undefined;
    /** Messages before it judges. */
    minSends?: number | null | undefined;
}
/** A change of a factor. */
export interface UpdateFactor {
    /**
     * The new name; null takes the name away.
     * @example Work phone
     */
    name: string | null;
}
/** A change of the grace period. */
export interface UpdateGracePeriod {
    /** The unit. */
    unit?: GraceUnit | null | undefined;
    /**
     * How many units; 0 for none, at most a year.
     * @example 7
     */
    value?: number | null | undefined;
}
/** A change of how guessing is slowed down. */
export interface UpdateLockout {
    /** The first delay in seconds. */
    baseDelaySeconds?: number | undefined;
    /** Wrong codes in a row after which only an administrator unlocks; at least `maxAttempts`. */
    hardLimit?: number | undefined;
    /** Wrong codes in a row before the first delay. */
    maxAttempts?: number | undefined;
    /** The longest delay in seconds, at least the first. */
    maxDelaySeconds?: number | undefined;
}
/** A change of words: what is left out stays, null goes back to the service's. */
export interface UpdateMessages {
    /** An email as HTML; must contain `{{code}}`. */
    emailHtml?: string | null | undefined;
    /** An email's subject. */
    emailSubject?: string | null | undefined;
    /** An email as plain text; must contain `{{code}}`. */
    emailText?: string | null | undefined;
    /** A text message; must contain `{{code}}`. */
    smsText?: string | null | undefined;
}
/** A change of the policy (RFC 7396): what is left out stays, lists are replaced whole. */
export interface UpdatePolicy {
    /** What counts as a second factor; at least one. */
    allowedFactors?: FactorType[] | undefined;
    /** How long a user may go without a factor under REQUIRED. */
    gracePeriod?: UpdateGracePeriod | undefined;
    /** Rules for groups. */
    groups?: GroupRuleInput[] | undefined;
    /** How guessing is slowed down. */
    lockout?: UpdateLockout | undefined;
    /** How many recovery codes make a set. */
    recoveryCodesCount?: number | undefined;
    /** What is demanded of a user in no listed group. */
    requirement?: Requirement | undefined;
    /** How often codes may be sent to one user. */
    sends?: UpdateSends | undefined;
    /**
     * Networks, or single addresses, from which every login is suspicious.
     * @example [
     *       "198.51.100.0/24"
     *     ]
     */
    suspiciousIpRanges?: string[] | undefined;
    /** Which signs of risk fire under RISK_BASED. */
    triggers?: UpdateTriggers | undefined;
    /** Whether and for how long browsers may be trusted. */
    trustedDevices?: UpdateTrustedDevices | undefined;
    /** The version that you saw; 409 `conflict` if it is not the current one. */
    version?: number | undefined;
    /** What is demanded of security keys and passkeys. */
    webauthn?: UpdateWebAuthnPolicy | undefined;
}
/** A change of the limits on sent codes. */
export interface UpdateSends {
    /**
     * Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all. A calling code (`+44`)
     * stands for all countries that have it: `GB` alone leaves out `GG`, `IM` and `JE`.
     * @example [
     *       "US",
     *       "CA"
     *     ]
     */
    allowedCountries?: string[] | undefined;
    /**
     * Countries or calling codes that none go to.
     * @example []
     */
    blockedCountries?: string[] | undefined;
    /** When sending to a prefix stops. */
    conversion?: UpdateConversion | undefined;
    /** Seconds between two codes of one factor. */
    cooldownSeconds?: number | undefined;
    /** Codes of one user in a day. */
    perDay?: number | undefined;
    /** Codes to one number or address in a day, over all users. */
    perDestinationPerDay?: number | undefined;
    /** Text messages to one prefix in an hour. */
    perPrefixPerHour?: number | undefined;
    /** Messages of the tenant in a day, text messages and emails each. */
    perTenantPerDay?: number | undefined;
    /** Codes of one user in ten minutes. */
    perTenMinutes?: number | undefined;
}
/** A change of the settings (RFC 7396): what is left out stays. */
export interface UpdateSettings {
    /** When something is odd enough to be told. */
    alerts?: UpdateAlerts | undefined;
    /**
     * Whether `rpId` and `origins` are changed although security keys and passkeys become useless by
     * it; false if left out.
     */
    force?: boolean | undefined;
    /**
     * The name that authenticator apps show; without a colon.
     * @example Acme
     */
    issuer?: string | undefined;
    /** The words of messages. */
    messages?: UpdateMessages | undefined;
    /**
     * Origins from which ceremonies are accepted: `https://…`, or `http://localhost`. They are kept
     * as browsers write them: lower case, Punycode, no default port.
     * @example [
     *       "https://login.acme.example"
     *     ]
     */
    origins?: string[] | undefined;
    /**
     * The WebAuthn relying party id: a domain name, the host of one of the `origins` or a domain
     * above it. It is kept as browsers write it. Keys that were registered for another id cannot be
     * used any more.
     * @example acme.example
     */
    rpId?: string | undefined;
    /**
     * The relying party's display name.
     * @example Acme
     */
    rpName?: string | undefined;
    /**
     * The tokens' `aud`.
     * @example acme
     */
    tokenAudience?: string | undefined;
    /**
     * How long an access token lives, in seconds.
     * @example 900
     */
    tokenTtlSeconds?: number | undefined;
    /**
     * What the tokens' header says they are: `JWT`, or `AT_JWT` for `at+jwt` (RFC 9068), with a
     *     `client_id`: the id of the API key that asked.
     */
    tokenType?: TokenType | undefined;
}
/** A change of which signs of risk fire. */
export interface UpdateTriggers {
    /** The password changed since the last verification. */
    afterPasswordChange?: boolean | undefined;
    /** A browser not seen before. */
    newDevice?: boolean | undefined;
    /** A country not seen before, or impossible travel. */
    newLocation?: boolean | undefined;
    /** A listed network, or an address that keeps failing. */
    suspiciousIp?: boolean | undefined;
}
/** A change of how browsers are trusted. */
export interface UpdateTrustedDevices {
    /** For how many days. */
    durationDays?: number | undefined;
    /** Whether it is offered at all. */
    enabled?: boolean | undefined;
}
/** A change of what is demanded of security keys and passkeys. */
export interface UpdateWebAuthnPolicy {
    /** The models that are good; empty for all. */
    allowedAaguids?: string[] | null | undefined;
    /** Whether passkeys may be kept on several devices. */
    syncedPasskeys?: boolean | null | undefined;
    /** The least that every ceremony demands. */
    userVerification?: UserVerification | null | undefined;
}
/** A change of an endpoint: what is left out stays. */
export interface UpdateWebhook {
    /** What it is for; null takes the text away. */
    description?: string | null | undefined;
    /** Whether events are delivered. Once it is enabled again, events of the last 24 hours are. */
    enabled?: boolean | null | undefined;
    /**
     * Which events.
     * @example [
     *       "mfa.alert.*"
     *     ]
     */
    events?: string[] | null | undefined;
    /**
     * Where events are posted.
     * @example https://acme.example/hooks/mfa
     */
    url?: string | null | undefined;
}
/** A user. */
export interface User {
    /** When the user was first written. */
    createdAt: Time;
    /**
     * A name to show.
     * @example Ann Example
     */
    displayName: string | null;
    /**
     * An email address.
     * @example ann@example.com
     */
    email: string | null;
    /** Whether you verified it. */
    emailVerified: boolean;
    /**
     * Names of groups that policy rules may fit.
     * @example [
     *       "admins"
     *     ]
     */
    groups: string[];
    /**
     * Your own id.
     * @example user_42
     */
    id: string;
    /**
     * A telephone number, E.164.
     * @example +14155550123
     */
    phoneNumber: string | null;
    /** The last change. */
    updatedAt: Time;
}
/** Spends a recovery code outside a challenge. */
export interface UseRecoveryCode {
    /**
     * The code. Case, spaces and dashes do not matter.
     * @example 7K3M-9QTX-B2WD
     */
    code: string;
}
/** A user, as authenticators know one. */
export interface UserEntity {
    /**
     * The person's name.
     * @example Ann Example
     */
    displayName: string;
    /** The user's handle, base64url: bytes that mean nothing elsewhere. */
    id: string;
    /**
     * The account's name.
     * @example ann@example.com
     */
    name: string;
}
/** A page of a listing. */
export interface UserList {
    /** The rows. */
    data: User[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** Whether the authenticator must verify the person, by a PIN or biometrics. */
export type UserVerification = "discouraged" | "preferred" | "required";
/** A challenge was answered rightly. */
export interface Verification {
    /** What to send as `deviceToken` from this browser; null if it was not to be trusted. */
    deviceToken: string | null;
    /** Until when the browser is trusted. */
    deviceTokenExpiresAt: Time | null;
    /**
     * What proved it; null for a recovery code.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string | null;
    /** A token of `acr` `aal2`. */
    tokens: Tokens;
    /**
     * Whose challenge it was.
     * @example user_42
     */
    userId: string;
    /**
     * Always true: a wrong answer is a problem.
     * @example true
     */
    verified: boolean;
}
/** A security key or passkey was shown. */
export interface VerifiedAssertion {
    /**
     * Which factor.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId: string;
    /** A token: of `acr` `aal2` if the person was verified, else `aal1`. */
    tokens: Tokens;
    /** Whether the person was verified, by a PIN or biometrics. */
    userVerified: boolean;
    /**
     * Always true: a wrong answer is a problem.
     * @example true
     */
    verified: boolean;
}
/** Shows a security key or passkey. */
export interface VerifyAssertion {
    /** What `navigator.credentials.get()` gave, by its `toJSON()`. */
    assertion: AuthenticationResponseJSON;
}
/** Answers a challenge: by `factorId` and `code`, by `assertion`, or by `recoveryCode`. */
export interface VerifyChallenge {
    /** What `navigator.credentials.get()` gave, by its `toJSON()`, for a factor of type WEBAUTHN. */
    assertion?: AuthenticationResponseJSON | null | undefined;
    /**
     * Which challenge.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    challengeId: string;
    /**
     * The factor's code: digits of any script. Spaces, dashes and invisible characters do not
     * matter. What cannot be a code of this factor is refused with `validation_failed`, and not
     * counted as a guess.
     * @example 492039
     */
    code?: string | null | undefined;
    /**
     * A name for the browser.
     * @example Laptop
     */
    deviceName?: string | null | undefined;
    /**
     * Which of its factors; needed with `code`. With `assertion` it may be left out: the answer says
     * which of the user's keys it was.
     * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    factorId?: string | null | undefined;
    /** A recovery code, instead of a factor's. */
    recoveryCode?: string | null | undefined;
    /** Whether this browser is to be trusted; the answer then has a `deviceToken`. */
    rememberDevice?: boolean | null | undefined;
}
/** Confirms an enrollment with the code that was sent. */
export interface VerifySentCode {
    /**
     * A challenge of kind ENROLLMENT_REQUIRED of the same user, which this confirmation answers.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    challengeId?: string | null | undefined;
    /**
     * The code: digits of any script. Spaces, dashes and invisible characters do not matter.
     * @example 492039
     */
    code: string;
    /**
     * A name for the factor, instead of the one given at the beginning.
     * @example Phone
     */
    name?: string | null | undefined;
}
/** Confirms an enrollment. */
export interface VerifyTotp {
    /**
     * A challenge of kind ENROLLMENT_REQUIRED of the same user, which this confirmation answers.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    challengeId?: string | null | undefined;
    /**
     * The code that the app shows: digits of any script. Spaces, dashes and invisible characters
     * do not matter.
     * @example 492039
     */
    code: string;
    /**
     * A name for the factor, instead of the one given at the beginning.
     * @example Phone
     */
    name?: string | null | undefined;
}
/** Ends a registration. */
export interface VerifyWebAuthn {
    /**
     * A challenge of kind ENROLLMENT_REQUIRED that this answers.
     * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    challengeId?: string | null | undefined;
    /** What `navigator.credentials.create()` gave, by its `toJSON()`. */
    credential: RegistrationResponseJSON;
    /**
     * A name for the factor.
     * @example Blue key
     */
    name?: string | null | undefined;
}
/** What is known of a security key or passkey. */
export interface WebAuthn {
    /**
     * The authenticator's model, as it says; all zeros if it does not.
     * @example ee882879-721c-4913-9775-3dfcce97072a
     */
    aaguid: string;
    /** Whether it was when it was last used. */
    backedUp: boolean;
    /** Whether its key may be kept on several devices: a synced passkey. */
    backupEligible: boolean;
    /** Whether it can be found without its id; null if the browser did not say. */
    residentKey: boolean | null;
    /**
     * The relying party id that it was registered for. It can be used only while the settings'
     *     `rpId` is the same.
     * @example acme.example
     */
    rpId: string;
    /**
     * Its signature counter; 0 if it has none.
     * @example 0
     */
    signCount: number;
    /**
     * How it can be reached.
     * @example [
     *       "internal",
     *       "hybrid"
     *     ]
     */
    transports: string[];
    /** Whether the person was verified when it was registered. */
    userVerified: boolean;
}
/** What is demanded of security keys and passkeys. */
export interface WebAuthnPolicy {
    /**
     * The models that are good; empty for all. A model is what an authenticator says of itself.
     * @example [
     *       "ee882879-721c-4913-9775-3dfcce97072a"
     *     ]
     */
    allowedAaguids: string[];
    /** Whether passkeys may be kept on several devices. */
    syncedPasskeys: boolean;
    /** The least that every ceremony demands. */
    userVerification: Open<UserVerification>;
}
/** An endpoint that is told events. */
export interface Webhook {
    /** When it was made. */
    createdAt: Time;
    /** What it is for. */
    description: string | null;
    /** Since when not. */
    disabledAt: Time | null;
    /**
     * Why not: `FAILING` if nothing could be delivered for a day, `REQUESTED` if somebody asked
     * for it; null while they are.
     * @example FAILING
     */
    disabledReason: string | null;
    /** Whether events are delivered. */
    enabled: boolean;
    /**
     * Which events: types, or beginnings of types that end in `*`.
     * @example [
     *       "mfa.*"
     *     ]
     */
    events: string[];
    /**
     * Its id.
     * @example whk_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /** When the current secret was made. */
    secretCreatedAt: Time | null;
    /**
     * Where events are posted.
     * @example https://acme.example/hooks/mfa
     */
    url: string;
}
/** The delivery of one event. */
export interface WebhookDelivery {
    /** Attempts so far. */
    attempts: number;
    /**
     * The audit event that is delivered.
     * @example evt_0_42
     */
    eventId: string;
    /**
     * The event's type.
     * @example mfa.factor.enrolled
     */
    eventType: string;
    /**
     * Its id, and the `webhook-id` of every attempt.
     * @example dlv_0c7ig9t6h8kq5v2m3n4p1r0s2g
     */
    id: string;
    /** The last attempt. */
    lastAttemptAt: Time | null;
    /**
     * Why the last attempt got no answer.
     * @example timeout
     */
    lastError: string | null;
    /**
     * The status that the endpoint answered last.
     * @example 503
     */
    lastStatus: number | null;
    /** The next attempt, not before; null once it has ended. */
    nextAttemptAt: Time | null;
    /** Since when it is tried. */
    since: Time;
    /** How it stands. */
    status: Open<DeliveryStatus>;
}
/** A page of a listing. */
export interface WebhookDeliveryList {
    /** The rows. */
    data: WebhookDelivery[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** A page of a listing. */
export interface WebhookList {
    /** The rows. */
    data: Webhook[];
    /** What to send as `cursor` for the next page; null at the end. */
    nextCursor: string | null;
}
/** A webhook with a secret that is shown once. */
export type WebhookWithSecret = Webhook & {
    /**
     * What signs its events (Standard Webhooks): base64 behind `whsec_`.
     * @example whsec_…
     */
    secret: string;
};

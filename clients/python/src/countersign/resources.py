"""What a client can be asked, by area: the classes of its members, of both kinds."""

from ._async.resources.api_keys import AsyncApiKeys
from ._async.resources.audit import AsyncAudit
from ._async.resources.auth import AsyncAuth
from ._async.resources.cluster import AsyncCluster
from ._async.resources.mfa import AsyncMfa
from ._async.resources.mfa_apps import AsyncMfaApps
from ._async.resources.mfa_holdings import AsyncMfaHoldings
from ._async.resources.mfa_keys import AsyncMfaKeys
from ._async.resources.mfa_login import AsyncMfaLogin
from ._async.resources.mfa_messages import AsyncMfaMessages
from ._async.resources.mfa_policy import AsyncMfaPolicy
from ._async.resources.portal import AsyncPortal
from ._async.resources.service import AsyncService
from ._async.resources.settings import AsyncSettings
from ._async.resources.statistics import AsyncStatistics
from ._async.resources.tenants import AsyncTenants
from ._async.resources.users import AsyncUsers
from ._async.resources.webhooks import AsyncWebhooks
from ._sync.resources.api_keys import ApiKeys
from ._sync.resources.audit import Audit
from ._sync.resources.auth import Auth
from ._sync.resources.cluster import Cluster
from ._sync.resources.mfa import Mfa
from ._sync.resources.mfa_apps import MfaApps
from ._sync.resources.mfa_holdings import MfaHoldings
from ._sync.resources.mfa_keys import MfaKeys
from ._sync.resources.mfa_login import MfaLogin
from ._sync.resources.mfa_messages import MfaMessages
from ._sync.resources.mfa_policy import MfaPolicy
from ._sync.resources.portal import Portal
from ._sync.resources.service import Service
from ._sync.resources.settings import Settings
from ._sync.resources.statistics import Statistics
from ._sync.resources.tenants import Tenants
from ._sync.resources.users import Users
from ._sync.resources.webhooks import Webhooks

__all__ = [
    "Auth",
    "Mfa",
    "MfaPolicy",
    "MfaApps",
    "MfaMessages",
    "MfaKeys",
    "MfaHoldings",
    "MfaLogin",
    "Users",
    "Portal",
    "Audit",
    "Webhooks",
    "ApiKeys",
    "Cluster",
    "Settings",
    "Statistics",
    "Tenants",
    "Service",
    "AsyncAuth",
    "AsyncMfa",
    "AsyncMfaPolicy",
    "AsyncMfaApps",
    "AsyncMfaMessages",
    "AsyncMfaKeys",
    "AsyncMfaHoldings",
    "AsyncMfaLogin",
    "AsyncUsers",
    "AsyncPortal",
    "AsyncAudit",
    "AsyncWebhooks",
    "AsyncApiKeys",
    "AsyncCluster",
    "AsyncSettings",
    "AsyncStatistics",
    "AsyncTenants",
    "AsyncService",
]

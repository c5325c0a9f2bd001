//! From a host's name to addresses that may be connected to.
//!
//! The client asks here once for each connection and connects to nothing but what it is given, so
//! the address that was checked is the one that is used: a name that answers differently the next
//! time (DNS rebinding) gains nothing. Addresses written into a URL never come here; see
//! [`Door::admit`].
//!
//! A name whose servers are silent takes the system's resolver half a minute. So few names are looked
//! up at once, fewer of one tenant; who waits for one that is being looked up shares the answer; and
//! a name without an answer is not asked again for a while.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::ids::TenantId;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::address::{Reach, Standing};

/// How many names are looked up at once. Each holds a thread until the system's resolver answers,
/// which may be long after its caller gave up.
const LOOKUPS_MAX: usize = 32;
/// How many of them of one tenant's endpoints.
const LOOKUPS_PER_TENANT: usize = 4;
/// For how long a name without an answer is not asked again.
const FAILED_FOR: Duration = Duration::from_secs(30);

tokio::task_local! {
    /// For whose endpoint this task posts. The client asks for names while it connects, within the
    /// post that wants the connection.
    pub(super) static POSTS_FOR: TenantId;
}

/// Looks up names.
pub(super) trait Names: Send + Sync + 'static {
    /// The addresses of a host.
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver. Bounded by [`LookUps`].
pub(super) struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        async move {
            let looked_up = tokio::task::spawn_blocking(move || {
                let found = (host.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        }
        .boxed()
    }
}

/// The addresses of a name, or none; whoever waits for them has a clone.
type Found = Shared<BoxFuture<'static, Option<Vec<IpAddr>>>>;

/// For whom a name is looked up, and which. One tenant never waits for what another asked, which may
/// be behind many names that do not answer.
type Asked = (Option<TenantId>, String);

/// What is known of a name.
enum Known {
    /// It is being looked up.
    Pending(Found),
    /// It had no answer and is not asked again before.
    Failed(Instant),
}

/// Looks up names within bounds.
pub(super) struct LookUps {
    names: Arc<dyn Names>,
    known: Mutex<HashMap<Asked, Known>>,
    all: Arc<Semaphore>,
    by_tenant: Mutex<HashMap<Option<TenantId>, Arc<Semaphore>>>,
}

impl LookUps {
    pub(super) fn new(names: Arc<dyn Names>) -> Arc<Self> {
        Arc::new(Self {
            names,
            known: Mutex::default(),
            all: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            by_tenant: Mutex::default(),
        })
    }

    /// The addresses of a host; `None` if there are none.
    async fn find(self: Arc<Self>, asked: Asked) -> Option<Vec<IpAddr>> {
        let found = {
            let mut known = self.known();
            let now = Instant::now();
            known.retain(|_, known| match known {
                Known::Failed(until) => now < *until,
                // One that ended without a word, as after a panic.
                Known::Pending(found) => found.peek().is_none(),
            });
            match known.get(&asked) {
                Some(Known::Failed(_)) => return None,
                Some(Known::Pending(found)) => found.clone(),
                None => {
                    let found = self.begin(asked.clone());
                    known.insert(asked, Known::Pending(found.clone()));
                    found
                }
            }
        };
        found.await
    }

    /// Looks a name up in a task of its own, which goes on when nobody waits any more: the resolver
    /// cannot be interrupted, and its place is free only when it has answered.
    fn begin(self: &Arc<Self>, asked: Asked) -> Found {
        let look_ups = Arc::clone(self);
        let looked_up = tokio::spawn(async move {
            // First among the tenant's own, so that it waits for no place of the others.
            let _own = look_ups.of(&asked.0).acquire_owned().await.ok()?;
            let _place = Arc::clone(&look_ups.all).acquire_owned().await.ok()?;
            let found = look_ups.names.look_up(&asked.1).await.ok();
            let found = found.filter(|found| !found.is_empty());
            let mut known = look_ups.known();
            match &found {
                // Asked again with the next connection: names move.
                Some(_) => known.remove(&asked),
                None => known.insert(asked, Known::Failed(Instant::now() + FAILED_FOR)),
            };
            drop(known);
            found
        });
        async move { looked_up.await.ok().flatten() }.boxed().shared()
    }

    fn of(&self, tenant: &Option<TenantId>) -> Arc<Semaphore> {
        let mut by_tenant = self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        by_tenant.retain(|_, own| Arc::strong_count(own) > 1);
        let own = by_tenant.entry(tenant.clone());
        Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(LOOKUPS_PER_TENANT))))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Asked, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum NoAddress {
    /// The name has none.
    #[error("the name has no address")]
    Unknown,
    /// It has, but all are of the inside.
    #[error("the address is private")]
    Private,
    /// It has, but without TLS nothing goes to a public address.
    #[error("a public address is reached by https only")]
    Plain,
}

impl NoAddress {
    /// A stable word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "dns",
            Self::Private => "private_address",
            Self::Plain => "https_required",
        }
    }
}

/// Lets through what may be connected to.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// The operator's word.
    pub(super) reach: Arc<Reach>,
    /// Whether what goes through is encrypted. What is not stays among allowed addresses.
    pub(super) encrypted: bool,
}

impl Door {
    /// Lets one address through.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn admit(&self, address: IpAddr) -> Result<(), NoAddress> {
        match self.reach.standing(address) {
            Standing::Allowed => Ok(()),
            Standing::Public if self.encrypted => Ok(()),
            Standing::Public => Err(NoAddress::Plain),
            Standing::Refused => Err(NoAddress::Private),
        }
    }

    /// Those that are let through.
    ///
    /// # Errors
    /// Why none is.
    fn sift(&self, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, NoAddress> {
        let mut refusal = NoAddress::Unknown;
        let admitted = found.into_iter().filter(|address| match self.admit(*address) {
            Ok(()) => true,
            Err(reason) => {
                refusal = reason;
                false
            }
        });
        let admitted: Vec<IpAddr> = admitted.collect();
        if admitted.is_empty() { Err(refusal) } else { Ok(admitted) }
    }
}

/// Names as the HTTP client sees them: with the addresses that are let through, and no others.
pub(super) struct CheckedNames {
    /// Who knows names.
    pub(super) names: Arc<LookUps>,
    /// Who is let through.
    pub(super) door: Door,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let tenant = POSTS_FOR.try_with(TenantId::clone).ok();
        let looked_up = Arc::clone(&self.names).find((tenant, name.as_str().to_owned()));
        let door = self.door.clone();
        async move {
            // What the resolver says of a failure is left out: it may name the host.
            let found = looked_up.await.ok_or(NoAddress::Unknown)?;
            let admitted = door.sift(found)?;
            // Port 0 stands for the URL's own.
            let targets = admitted.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(targets) as Addrs)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    fn door(encrypted: bool) -> Door {
        let allow_networks = vec!["10.1.0.0/16".parse().unwrap()];
        let reach = Reach { allow_private: false, allow_networks };
        Door { reach: Arc::new(reach), encrypted }
    }

    #[test]
    fn of_several_addresses_only_those_let_through_are_given_out() {
        let found = ["127.0.0.1", "8.8.8.8", "10.1.0.5", "::1", "10.2.0.5"];
        assert_eq!(door(true).sift(addresses(&found)), Ok(addresses(&["8.8.8.8", "10.1.0.5"])));
        assert_eq!(door(false).sift(addresses(&found)), Ok(addresses(&["10.1.0.5"])));
    }

    #[test]
    fn if_none_is_let_through_the_reason_is_said() {
        let sift = |encrypted, found: &[&str]| door(encrypted).sift(addresses(found));
        assert_eq!(sift(true, &["127.0.0.1"]), Err(NoAddress::Private));
        assert_eq!(sift(false, &["8.8.8.8"]), Err(NoAddress::Plain));
        assert_eq!(sift(true, &[]), Err(NoAddress::Unknown));
    }

    #[tokio::test]
    async fn a_name_without_an_answer_says_nothing_of_the_host() {
        let names = LookUps::new(Arc::new(SystemNames));
        let checked = CheckedNames { names, door: door(true) };
        let name: Name = "no-such-host.invalid".parse().unwrap();
        let Err(error) = checked.resolve(name).await else { panic!("found") };
        assert_eq!(error.downcast_ref::<NoAddress>(), Some(&NoAddress::Unknown));
        assert!(!format!("{error} {error:?}").contains("no-such-host"));
    }
}

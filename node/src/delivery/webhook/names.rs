//! From a host's name to addresses that may be connected to.
//!
//! The client asks here once for each connection and connects to nothing but what it is given, so
//! the address that was checked is the one that is used: a name that answers differently the next
//! time (DNS rebinding) gains nothing. Addresses written into a URL never come here; see
//! [`Door::admit`].

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::address::{Reach, Standing};

/// How many names are looked up at once. Each holds a thread until the system's resolver answers,
/// which may be long after its caller gave up.
const LOOKUPS_MAX: usize = 32;

/// Looks up names.
pub(super) trait Names: Send + Sync + 'static {
    /// The addresses of a host.
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
pub(super) struct SystemNames {
    room: Arc<Semaphore>,
}

impl Default for SystemNames {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Names for SystemNames {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        let room = Arc::clone(&self.room);
        async move {
            let permit = room.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = tokio::task::spawn_blocking(move || {
                let _held_until_it_answers = permit;
                let found = (host.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        }
        .boxed()
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
    pub(super) names: Arc<dyn Names>,
    /// Who is let through.
    pub(super) door: Door,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let looked_up = self.names.look_up(name.as_str());
        let door = self.door.clone();
        async move {
            // What the resolver says of a failure is left out: it may name the host.
            let found = looked_up.await.map_err(|_| NoAddress::Unknown)?;
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
        let names: Arc<dyn Names> = Arc::new(SystemNames::default());
        let checked = CheckedNames { names, door: door(true) };
        let name: Name = "no-such-host.invalid".parse().unwrap();
        let Err(error) = checked.resolve(name).await else { panic!("found") };
        assert_eq!(error.downcast_ref::<NoAddress>(), Some(&NoAddress::Unknown));
        assert!(!format!("{error} {error:?}").contains("no-such-host"));
    }
}

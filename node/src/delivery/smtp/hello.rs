//! What we call ourselves to a mail server (RFC 5321 section 4.1.4): the name that the settings give,
//! else this host's name if it is a full one, else the address from which we connect. A name without
//! a dot, as containers have, is refused by many servers, and with it every email.

use std::net::{IpAddr, Ipv4Addr};

use lettre::transport::smtp::extension::ClientId;
use tokio::net::UdpSocket;

use crate::config::{EmailSettings, is_full_name};

/// What we call ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hello {
    /// By this name or address.
    As(ClientId),
    /// By the address from which the server sees us.
    ByAddress,
}

impl Hello {
    /// As the settings say, or as this host is called.
    pub(super) fn of(settings: &EmailSettings) -> Self {
        match (&settings.helo, ClientId::default()) {
            (Some(helo), _) => Self::As(helo.clone()),
            (None, ClientId::Domain(name)) => Self::by_host_name(&name),
            (None, _) => Self::ByAddress,
        }
    }

    fn by_host_name(name: &str) -> Self {
        // What installers write into /etc/hosts is the same everywhere, and so nobody's name.
        match is_full_name(name) && !name.ends_with(".localdomain") {
            true => Self::As(ClientId::Domain(name.to_owned())),
            false => Self::ByAddress,
        }
    }

    /// What is said to the server at a host and port.
    pub(super) async fn to(&self, host: &str, port: u16) -> ClientId {
        match self {
            Self::As(known) => known.clone(),
            Self::ByAddress => match own_address(host, port).await {
                Some(IpAddr::V6(address)) => ClientId::Ipv6(address),
                Some(IpAddr::V4(address)) => ClientId::Ipv4(address),
                // Nothing can be reached there, so nobody will hear it.
                None => ClientId::Ipv4(Ipv4Addr::LOCALHOST),
            },
        }
    }
}

/// The address from which this machine reaches a host. Connecting a datagram socket sends nothing.
async fn own_address(host: &str, port: u16) -> Option<IpAddr> {
    let any = match tokio::net::lookup_host((host, port)).await.ok()?.next()? {
        server if server.is_ipv4() => ("0.0.0.0:0", server),
        server => ("[::]:0", server),
    };
    let socket = UdpSocket::bind(any.0).await.ok()?;
    socket.connect(any.1).await.ok()?;
    socket.local_addr().ok().map(|address| address.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_without_a_full_name_is_called_by_its_address() {
        for name in ["n1", "localhost", "localhost.localdomain", "7f3c2a", "a_b.example", ""] {
            let hello = Hello::by_host_name(name);
            assert_eq!(hello, Hello::ByAddress, "{name}");
            assert_eq!(hello.to("127.0.0.1", 25).await.to_string(), "[127.0.0.1]", "{name}");
        }
        let hello = Hello::by_host_name("n1.acme.example");
        assert_eq!(hello.to("127.0.0.1", 25).await.to_string(), "n1.acme.example");
        assert_eq!(Hello::ByAddress.to("::1", 25).await.to_string(), "[IPv6:::1]");
    }
}

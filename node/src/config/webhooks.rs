//! To where events may be posted: settings and their checks.

use std::net::IpAddr;

use ipnet::IpNet;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// To where events may be posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether to every address that is not public: loopback, private, link-local and the like.
    /// Without it, and outside [`Self::allow_networks`], a tenant's events go to public addresses
    /// and by https only.
    pub allow_private: bool,
    /// Networks of the inside to which they may be posted, by http as well.
    pub allow_networks: Vec<IpNet>,
    /// Certificates of authorities that are trusted beside the system's.
    pub roots: Vec<CertificateDer<'static>>,
}

/// Networks such as `10.1.0.0/16` or `fd12::/16`, or single addresses.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|network| !network.is_empty())
        .map(|network| {
            let single = || network.parse::<IpAddr>().map(IpNet::from);
            let network: IpNet = network
                .parse()
                .or_else(|_| single())
                .map_err(|_| "networks such as 10.1.0.0/16 or fd12::/16 are expected".to_owned())?;
            // An address with bits beyond its prefix is a mistake about one of the two.
            (network == network.trunc()).then_some(network).ok_or_else(|| {
                format!("{network} is not the beginning of a network; {} is", network.trunc())
            })
        })
        .collect()
}

/// The certificates in a PEM file, all of which must be usable to trust in.
pub(super) fn roots(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let unusable = |reason: &dyn std::fmt::Display| {
        format!("{path} holds a certificate that cannot be used: {reason}")
    };
    let mut store = RootCertStore::empty();
    let mut roots = Vec::new();
    for root in CertificateDer::pem_slice_iter(&pem) {
        let root = root.map_err(|error| unusable(&error))?;
        store.add(root.clone()).map_err(|error| unusable(&error))?;
        roots.push(root);
    }
    if roots.is_empty() { Err(format!("{path} holds no certificate in PEM")) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_are_read() {
        let read = networks(" 10.1.0.0/16, fd12::/16 ,192.0.2.7,::1").unwrap();
        let texts: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.1.0.0/16", "fd12::/16", "192.0.2.7/32", "::1/128"]);
        assert_eq!(networks(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_was_probably_meant() {
        for text in ["10.1", "10.1.0.0/33", "example.com", "10.0.0.1-10.0.0.9", "10.1.0.0/16;::1"] {
            assert!(networks(text).unwrap_err().contains("10.1.0.0/16"), "{text}");
        }
        assert!(networks("10.1.2.3/16").unwrap_err().contains("10.1.0.0/16 is"));
    }

    #[test]
    fn authorities_are_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            roots(path.to_str().unwrap())
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        assert_eq!(read(&format!("{}\n{}", made.pem(), made.pem())).unwrap().len(), 2);
        assert!(read("").unwrap_err().contains("no certificate"));
        assert!(read(&key.serialize_pem()).unwrap_err().contains("no certificate"));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(read(broken).unwrap_err().contains("cannot be used"));
        assert!(read(&format!("{}{broken}", made.pem())).is_err());
        assert!(roots("/no/such/file.pem").unwrap_err().contains("cannot be read"));
    }
}

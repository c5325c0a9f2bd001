//! Where an address is, from a MaxMind database on disk. It only fills what the application left
//! out, and never overrules it. A missing or strange entry tells nothing and stops nobody.

use std::net::IpAddr;
use std::path::Path;

use countersign_core::risk::{Location, LoginContext};
use maxminddb::{Reader, geoip2};

use crate::error::Error;

/// An open location database, wholly in memory.
pub(crate) struct GeoIp {
    reader: Reader<Vec<u8>>,
}

impl GeoIp {
    /// Opens a database.
    ///
    /// # Errors
    /// If the file cannot be read or is no MaxMind database.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let reader = Reader::open_readfile(path)
            .map_err(|error| Error::GeoIp { path: path.to_owned(), reason: error.to_string() })?;
        Ok(Self { reader })
    }

    /// Where an address is, as far as the database knows.
    pub(crate) fn locate(&self, address: IpAddr) -> Option<Location> {
        let city: geoip2::City<'_> = self.reader.lookup(address).ok()?.decode().ok()??;
        let region = city.subdivisions.first().and_then(|region| region.iso_code);
        let location = Location {
            country: city.country.iso_code.map(str::to_ascii_uppercase),
            region: region.map(str::to_owned),
            city: city.city.names.english.map(str::to_owned),
            latitude: city.location.latitude,
            longitude: city.location.longitude,
        };
        (location != Location::default()).then_some(location)
    }

    /// Fills in the location of a login, if the application gave an address and no location.
    pub(crate) fn fill(&self, context: &mut LoginContext) {
        if context.location.is_none() {
            context.location = context.ip_address.and_then(|address| self.locate(address));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database in the MaxMind DB format 2.0 with one entry for 0.0.0.0/1 and none for the rest.
    fn database() -> Vec<u8> {
        let entry = map(&[
            ("country", map(&[("iso_code", text("US"))])),
            ("city", map(&[("names", map(&[("en", text("Springfield"))]))])),
            ("subdivisions", list(&[map(&[("iso_code", text("CA"))])])),
            ("location", map(&[("latitude", double(37.5)), ("longitude", double(-122.25))])),
        ]);
        let metadata = map(&[
            ("binary_format_major_version", vec![0xA1, 2]),
            ("binary_format_minor_version", vec![0xA0]),
            ("build_epoch", vec![0x01, 0x02, 1]),
            ("database_type", text("Test-City")),
            ("description", map(&[("en", text("test"))])),
            ("ip_version", vec![0xA1, 4]),
            ("languages", list(&[text("en")])),
            ("node_count", vec![0xC1, 1]),
            ("record_size", vec![0xA1, 24]),
        ]);
        // One node: the left record points behind the 16 bytes between tree and data, the right
        // one holds the number of nodes, which means "nothing".
        let mut bytes = vec![0, 0, 17, 0, 0, 1];
        bytes.extend([0; 16]);
        bytes.extend(entry);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        bytes.extend(metadata);
        bytes
    }

    fn text(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 29);
        [&[0x40 | length], text.as_bytes()].concat()
    }

    fn double(number: f64) -> Vec<u8> {
        [&[0x68], number.to_be_bytes().as_slice()].concat()
    }

    fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![0xE0 | u8::try_from(entries.len()).unwrap()];
        for (key, value) in entries {
            // Keys of 29 characters and more take a longer form, which no key here needs.
            bytes.extend(text(key));
            bytes.extend(value);
        }
        bytes
    }

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        [vec![u8::try_from(items.len()).unwrap(), 0x04], items.concat()].concat()
    }

    fn open() -> GeoIp {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), database()).unwrap();
        GeoIp::open(file.path()).unwrap()
    }

    #[test]
    fn a_known_address_has_a_place_and_an_unknown_one_none() {
        let expected = Location {
            country: Some("US".to_owned()),
            region: Some("CA".to_owned()),
            city: Some("Springfield".to_owned()),
            latitude: Some(37.5),
            longitude: Some(-122.25),
        };
        assert_eq!(open().locate("100.1.2.3".parse().unwrap()), Some(expected));
        assert_eq!(open().locate("200.1.2.3".parse().unwrap()), None);
        assert_eq!(open().locate("2001:db8::1".parse().unwrap()), None);
    }

    #[test]
    fn what_the_application_says_is_never_overruled() {
        let told = Location { country: Some("DE".to_owned()), ..Location::default() };
        let address = Some("100.1.2.3".parse().unwrap());
        let mut context = LoginContext {
            ip_address: address,
            location: Some(told.clone()),
            ..LoginContext::default()
        };
        open().fill(&mut context);
        assert_eq!(context.location, Some(told));
        context.location = None;
        open().fill(&mut context);
        assert_eq!(context.location.unwrap().country.as_deref(), Some("US"));
    }

    #[test]
    fn what_is_no_database_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hello").unwrap();
        let Err(error) = GeoIp::open(file.path()) else { panic!("it was opened") };
        assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
    }
}

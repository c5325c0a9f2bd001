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

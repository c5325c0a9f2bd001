//! Where an address is, from a MaxMind database on disk. It only fills what the application left
//! out, and never overrules it. A missing or strange entry tells nothing and stops nobody.
//!
//! Such a database is replaced every week or so. A new file is noticed by itself and on SIGHUP; if it
//! cannot be used, what was read before stays in use and the log says so.

use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use countersign_core::risk::{Location, LoginContext};
use countersign_core::time::Timestamp;
use maxminddb::{Reader, geoip2};

use crate::error::Error;

/// How often it is looked whether the file was replaced.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How old the data is, by the time at which its maker built it.
const AGE: &str = "countersign_geoip_age_seconds";
/// How often a file was read again, by outcome.
const RELOADS: &str = "countersign_geoip_reloads_total";

/// An open location database, wholly in memory.
pub(crate) struct GeoIp {
    path: PathBuf,
    reader: RwLock<Arc<Reader<Vec<u8>>>>,
    /// The file that was read last, whether it could be used or not.
    seen: Mutex<Option<Stamp>>,
}

/// What tells one file from another at the same path.
type Stamp = (u64, u64, u64, Option<SystemTime>);

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.len(), file.modified().ok()))
}

fn read(path: &Path) -> Result<Arc<Reader<Vec<u8>>>, Error> {
    let refused = |reason| Error::GeoIp { path: path.to_owned(), reason };
    let reader = Reader::open_readfile(path).map_err(|error| refused(error.to_string()))?;
    let kind = &reader.metadata().database_type;
    if !["City", "Country", "Enterprise"].iter().any(|known| kind.contains(known)) {
        return Err(refused(format!("{kind} has no places; a City or Country database is needed")));
    }
    Ok(Arc::new(reader))
}

impl GeoIp {
    /// Opens a database.
    ///
    /// # Errors
    /// If the file cannot be read or is no MaxMind database of places.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        // Before it is read: one that is replaced meanwhile is read again.
        let seen = Mutex::new(stamp(path));
        let reader = RwLock::new(read(path)?);
        Ok(Self { path: path.to_owned(), reader, seen })
    }

    /// Reads the file again. If that fails, what was read before stays in use. Blocks.
    pub(crate) fn reload(&self) {
        *self.seen() = stamp(&self.path);
        let path = self.path.display();
        let outcome = match read(&self.path) {
            Ok(reader) => {
                tracing::info!(%path, built = reader.metadata().build_epoch, "GeoIP database read");
                *self.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
                "used"
            }
            Err(error) => {
                tracing::error!(%error, "the new GeoIP database cannot be used; the old one stays in use");
                "failed"
            }
        };
        ::metrics::counter!(RELOADS, "outcome" => outcome).increment(1);
    }

    /// Reads the file again if it is another one than was read last. Blocks.
    pub(crate) fn reload_if_replaced(&self) {
        let now = stamp(&self.path);
        if *self.seen() != now {
            self.reload();
        }
    }

    /// Looks from time to time whether the file was replaced, until dropped.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            let geoip = Arc::clone(&self);
            let _ = tokio::task::spawn_blocking(move || geoip.reload_if_replaced()).await;
        }
    }

    /// Tells how old the data is at `now`.
    pub(crate) fn measure(&self, now: Timestamp) {
        let age = now.unix_seconds().saturating_sub(self.reader().metadata().build_epoch);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        ::metrics::gauge!(AGE).set(age as f64);
    }

    fn reader(&self) -> Arc<Reader<Vec<u8>>> {
        Arc::clone(&self.reader.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<Stamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where an address is, as far as the database knows.
    pub(crate) fn locate(&self, address: IpAddr) -> Option<Location> {
        let reader = self.reader();
        let city: geoip2::City<'_> = reader.lookup(address).ok()?.decode().ok()??;
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
        database_of("US", 1)
    }

    /// One in which the entry has this country, built at this second.
    fn database_of(country: &str, built: u8) -> Vec<u8> {
        let entry = map(&[
            ("country", map(&[("iso_code", text(country))])),
            ("city", map(&[("names", map(&[("en", text("Springfield"))]))])),
            ("subdivisions", list(&[map(&[("iso_code", text("CA"))])])),
            ("location", map(&[("latitude", double(37.5)), ("longitude", double(-122.25))])),
        ]);
        let metadata = map(&[
            ("binary_format_major_version", vec![0xA1, 2]),
            ("binary_format_minor_version", vec![0xA0]),
            ("build_epoch", vec![0x01, 0x02, built]),
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

    fn country(geoip: &GeoIp) -> Option<String> {
        geoip.locate("100.1.2.3".parse().unwrap()).and_then(|location| location.country)
    }

    #[test]
    fn a_replaced_file_is_read_and_a_broken_one_leaves_the_old_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("city.mmdb");
        let replace = |bytes: &[u8]| {
            let new = folder.path().join("new");
            std::fs::write(&new, bytes).unwrap();
            std::fs::rename(new, &path).unwrap();
        };
        replace(&database_of("US", 1));
        let geoip = GeoIp::open(&path).unwrap();
        replace(&database_of("DE", 2));
        assert_eq!(country(&geoip).as_deref(), Some("US"), "not read yet");
        geoip.reload_if_replaced();
        assert_eq!(country(&geoip).as_deref(), Some("DE"));
        assert_eq!(geoip.reader().metadata().build_epoch, 2);
        for broken in [&b"hello"[..], &[], &database_of("FR", 3)[..60]] {
            replace(broken);
            geoip.reload_if_replaced();
            assert_eq!(country(&geoip).as_deref(), Some("DE"), "the old one stays");
        }
        std::fs::remove_file(&path).unwrap();
        geoip.reload();
        assert_eq!(country(&geoip).as_deref(), Some("DE"), "the old one stays");
        // Written over in place, as some tools do.
        std::fs::write(&path, database_of("FR", 3)).unwrap();
        geoip.reload_if_replaced();
        assert_eq!(country(&geoip).as_deref(), Some("FR"));
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
        // One that tells networks' owners has the same form, and no places.
        let mut other = database();
        let kind = other.windows(9).position(|window| window == b"Test-City").unwrap();
        other[kind..kind + 9].copy_from_slice(b"Other-ASN");
        std::fs::write(file.path(), other).unwrap();
        let Err(error) = GeoIp::open(file.path()) else { panic!("it was opened") };
        assert!(error.to_string().contains("Other-ASN has no places"), "{error}");
    }
}

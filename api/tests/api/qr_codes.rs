//! QR codes are read by a decoder from the pixels that a screen without magnification shows.

use serde_json::json;

use crate::house::House;

/// The pixels of a picture as browsers draw it: rows of light and dark modules, each of so many
/// pixels. It has nothing in it but a size, a light square and runs of dark modules.
struct Picture {
    side: usize,
    pixels: usize,
    dark: Vec<bool>,
}

impl Picture {
    fn draw(svg: &str) -> Self {
        let attribute = |name: &str| {
            let (_, rest) = svg.split_once(&format!(" {name}=\"")).unwrap();
            rest.split_once('"').unwrap().0
        };
        let pixels: usize = attribute("width").parse().unwrap();
        assert_eq!(attribute("height"), attribute("width"));
        let side: usize = attribute("viewBox")
            .strip_prefix("0 0 ")
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(attribute("viewBox"), format!("0 0 {side} {side}"));
        let mut dark = vec![false; side * side];
        let path = svg.rsplit_once("d=\"").unwrap().1.split_once('"').unwrap().0;
        for run in path.split('M').filter(|run| !run.is_empty()) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, _) = rest.split_once('v').unwrap();
            let [x, y, length]: [usize; 3] = [x, y, length].map(|number| number.parse().unwrap());
            dark[y * side + x..y * side + x + length].fill(true);
        }
        Self { side, pixels, dark }
    }

    /// Pixels of a module.
    fn module(&self) -> usize {
        assert_eq!(self.pixels % self.side, 0, "a module has a whole number of pixels");
        self.pixels / self.side
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark[y / self.module() * self.side + x / self.module()]
    }

    fn read(&self) -> String {
        let pixels = (0..self.pixels).flat_map(|y| (0..self.pixels).map(move |x| (x, y)));
        let grey = |(x, y)| if self.is_dark(x, y) { 0 } else { 255 };
        let image: Vec<u8> = pixels.map(grey).collect();
        let mut decoder = quircs::Quirc::default();
        let codes: Vec<_> = decoder.identify(self.pixels, self.pixels, &image).collect();
        assert_eq!(codes.len(), 1);
        let code = codes[0].as_ref().unwrap().decode().unwrap();
        String::from_utf8(code.payload).unwrap()
    }
}

#[tokio::test]
async fn what_an_enrollment_shows_is_read_from_a_screen_without_magnification() {
    let house = House::new();
    let crab = "🦀".repeat(64);
    for (issuer, account, more) in [
        ("Acme", "ann@acme.example".to_owned(), json!({})),
        (
            crab.as_str(),
            "🦀".repeat(100),
            json!({"algorithm": "SHA512", "digits": 8, "period": 120}),
        ),
        (&"W".repeat(64), "w".repeat(100), json!({"algorithm": "SHA256"})),
    ] {
        let settings = house.patch("/v1/settings", &json!({ "issuer": issuer })).await;
        assert_eq!(settings.status, 200);
        let mut body = json!({ "accountName": account });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let begun = house.post("/v1/users/ann/mfa/totp", &body).await;
        assert_eq!(begun.status, 201, "{}", begun.text());
        let enrollment = begun.json();
        let picture = Picture::draw(enrollment["qrCodeSvg"].as_str().unwrap());
        assert!(picture.module() >= 4);
        let quiet = 4 * picture.module();
        let light = |at: usize| {
            (0..picture.pixels)
                .all(|other| !picture.is_dark(at, other) && !picture.is_dark(other, at))
        };
        assert!((0..quiet).all(light), "the quiet zone");
        assert_eq!(picture.read(), enrollment["qrCodeUri"].as_str().unwrap());
    }
}

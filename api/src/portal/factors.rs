//! Looking after what there is: factors, recovery codes, trusted devices. All can be seen; whatever
//! changes one asks first who it is.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_core::command::Command;
use countersign_core::ids::FactorId;
use countersign_core::portal::{PortalPurpose, PortalRefusal, PortalView};
use countersign_core::reply::{FactorView, Reply};
use serde::Deserialize;

use super::enroll::{Nothing, verified_for};
use super::filled::Filled;
use super::finish::to;
use super::shown::{Moment, Shared, about, icon, name, warning};
use super::texts::Texts;
use super::trouble::Trouble;
use super::visitor::{Visitor, unexpected};
use crate::pages::Frame;
use crate::pages::answer::html;
use crate::request::Fields;

/// A factor in the list.
struct Item {
    address: String,
    icon: &'static str,
    title: String,
    text: String,
    primary: bool,
    used: Option<Moment>,
    /// That it is not offered any more, and what to do.
    warning: Option<&'static str>,
}

/// A trusted device.
struct Device {
    id: String,
    title: String,
    since: Moment,
    until: Moment,
}

/// The page of all.
#[derive(Template)]
#[template(path = "portal/manage.html")]
struct ManagePage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    notice: Option<&'static str>,
    factors: Vec<Item>,
    offers: bool,
    recovery: String,
    has_codes: bool,
    codes_run_out: bool,
    provable: bool,
    devices: Option<String>,
}

/// The page of a factor.
#[derive(Template)]
#[template(path = "portal/factor.html")]
struct FactorPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    id: String,
    icon: &'static str,
    title: String,
    text: String,
    name: String,
    primary: bool,
    last: bool,
    added: Moment,
    used: Option<Moment>,
    warning: Option<&'static str>,
    error: Option<String>,
}

/// The page of trusted devices.
#[derive(Template)]
#[template(path = "portal/devices.html")]
struct DevicesPage {
    frame: Frame,
    t: &'static Texts,
    shared: Shared,
    devices: Vec<Device>,
}

/// Everything that the person has.
pub(super) fn all(visitor: &Visitor, view: &PortalView, done: &str) -> Result<Response, Trouble> {
    let texts = visitor.texts;
    let tenant = visitor.tenant()?;
    let item = |factor: &FactorView| Item {
        address: visitor.page(&format!("/factors/{}", factor.id)),
        icon: icon(factor.factor_type),
        title: name(factor, texts),
        text: about(factor, texts),
        primary: factor.primary && view.factors.len() > 1,
        used: factor.last_used_at.map(|at| Moment::day(at, texts)),
        warning: warning(factor, &tenant, texts),
    };
    let (remaining, total) = (view.recovery_codes_remaining, view.recovery_codes_total);
    let page = ManagePage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, view)?,
        notice: match done {
            "added" => Some(texts.done_added),
            "removed" => Some(texts.done_removed),
            "renamed" => Some(texts.done_renamed),
            "primary" => Some(texts.done_primary),
            "codes" => Some(texts.done_codes),
            "forgotten" => Some(texts.done_forgotten),
            _ => None,
        },
        factors: view.factors.iter().map(item).collect(),
        offers: !view.offered.is_empty(),
        recovery: (texts.codes_left)(remaining, total),
        has_codes: total > 0,
        codes_run_out: total > 0 && remaining <= 2,
        provable: view.provable,
        devices: (!view.devices.is_empty()).then(|| (texts.devices_count)(view.devices.len())),
    };
    Ok(html(StatusCode::OK, &page))
}

/// Asks for a verification where one is needed and possible.
fn guard(view: &PortalView, next: &str) -> Result<(), Trouble> {
    if view.purpose != PortalPurpose::Manage {
        return Err(PortalRefusal::NotPermitted.into());
    }
    match (view.fresh_until, view.provable) {
        (Some(_), _) => Ok(()),
        (None, true) => Err(Trouble::VerifyFirst(next.to_owned())),
        (None, false) => Err(PortalRefusal::NothingToProve.into()),
    }
}

fn address(id: &str) -> String {
    format!("/factors/{id}")
}

pub(super) async fn factor(
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    page(&visitor, &id, None).await
}

async fn page(visitor: &Visitor, id: &str, error: Option<String>) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    let Some(factor) = view.factors.iter().find(|factor| factor.id.to_string() == id) else {
        return Ok(to(&visitor.page("/")));
    };
    guard(&view, &address(id))?;
    let texts = visitor.texts;
    let page = FactorPage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(visitor, &view)?,
        id: id.to_owned(),
        icon: icon(factor.factor_type),
        title: name(factor, texts),
        text: about(factor, texts),
        name: factor.name.clone().unwrap_or_default(),
        primary: factor.primary,
        last: view.factors.len() == 1,
        added: Moment::day(factor.created_at, texts),
        used: factor.last_used_at.map(|at| Moment::day(at, texts)),
        warning: warning(factor, &*visitor.tenant()?, texts),
        error: error.clone(),
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(html(status, &page))
}

/// A name, as typed.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

pub(super) async fn rename(
    Path((_, id)): Path<(String, String)>,
    Filled { visitor, form }: Filled<Named>,
) -> Result<Response, Trouble> {
    let typed = form.name.trim();
    let mut fields = Fields::new();
    let name = fields.name("/name", (!typed.is_empty()).then(|| typed.to_owned()));
    let Ok(name) = fields.finish(name) else {
        return page(&visitor, &id, Some(visitor.texts.wrong_name.to_owned())).await;
    };
    change(&visitor, &id, "renamed", |id| Command::RenameFactor { id, name }).await
}

pub(super) async fn make_primary(
    Path((_, id)): Path<(String, String)>,
    Filled { visitor, form: Nothing {} }: Filled<Nothing>,
) -> Result<Response, Trouble> {
    change(&visitor, &id, "primary", |id| Command::MakePrimary { id }).await
}

pub(super) async fn remove(
    Path((_, id)): Path<(String, String)>,
    Filled { visitor, form: Nothing {} }: Filled<Nothing>,
) -> Result<Response, Trouble> {
    change(&visitor, &id, "removed", |id| Command::RemoveFactor { id }).await
}

async fn change(
    visitor: &Visitor,
    id: &str,
    done: &str,
    act: impl FnOnce(FactorId) -> Command,
) -> Result<Response, Trouble> {
    // What is no id is a factor that is gone.
    let Ok(factor) = id.parse() else { return Ok(to(&visitor.page("/"))) };
    match verified_for(&address(id), visitor.act(done, act(factor)).await)? {
        Reply::Done | Reply::Factor { .. } => Ok(to(&visitor.page(&format!("?done={done}")))),
        Reply::Refused(_) => Ok(to(&visitor.page("/"))),
        _ => Err(unexpected()),
    }
}

pub(super) async fn devices(visitor: Visitor) -> Result<Response, Trouble> {
    let view = visitor.view().await?;
    guard(&view, "/devices")?;
    if view.devices.is_empty() {
        return Ok(to(&visitor.page("/")));
    }
    let texts = visitor.texts;
    let device = |device: &countersign_core::reply::DeviceView| Device {
        id: device.id.to_string(),
        title: device.name.clone().unwrap_or_else(|| {
            let agent = device.user_agent.as_deref().and_then(browser);
            agent.unwrap_or_else(|| texts.some_browser.to_owned())
        }),
        since: Moment::day(device.last_used_at.unwrap_or(device.created_at), texts),
        until: Moment::day(device.expires_at, texts),
    };
    let page = DevicesPage {
        frame: texts.frame(),
        t: texts,
        shared: Shared::of(&visitor, &view)?,
        devices: view.devices.iter().map(device).collect(),
    };
    Ok(html(StatusCode::OK, &page))
}

/// What a `User-Agent` most likely means, roughly: enough to recognise one's own.
fn browser(agent: &str) -> Option<String> {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // The later ones call themselves by the earlier ones' names too.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ])?;
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    Some(system.map_or_else(|| browser.to_owned(), |system| format!("{browser} · {system}")))
}

/// Which device, or all of them.
#[derive(Deserialize)]
pub(super) struct Forgetting {
    #[serde(default)]
    device: String,
}

pub(super) async fn forget(
    Filled { visitor, form }: Filled<Forgetting>,
) -> Result<Response, Trouble> {
    let act = if form.device == "all" {
        Command::RevokeDevices
    } else {
        // What is no id is a device that is gone.
        let Ok(id) = form.device.parse() else { return Ok(to(&visitor.page("/devices"))) };
        Command::RevokeDevice { id }
    };
    match verified_for("/devices", visitor.act("forget", act).await)? {
        Reply::Done | Reply::Refused(_) => Ok(to(&visitor.page("?done=forgotten"))),
        _ => Err(unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_as_its_owner_calls_it() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/139.0.0.0 Safari/537.36",
                Some("Chrome · Linux"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                Some("Safari · iPhone"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; rv:142.0) Gecko/20100101 Firefox/142.0",
                Some("Firefox · Windows"),
            ),
            ("curl/8.0", None),
        ] {
            assert_eq!(browser(agent).as_deref(), name, "{agent}");
        }
    }
}

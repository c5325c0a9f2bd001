//! Where nodes live on the network.
//!
//! In namespaces, every node has a network stack of its own and a cable to one bridge; whoever
//! tests sits on the bridge and reaches them all. A link is cut at its receiver, by a rule that
//! drops what comes from the sender: the sender notices nothing, as in a real network. A cut in
//! one direction only is thus as easy as one in both.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::shell::run;

/// Ports of a node that has an address of its own.
const API_PORT: u16 = 8080;
const PEER_PORT: u16 = 7080;

/// Where nodes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Side by side on the loopback device.
    Loopback,
    /// Each in a network namespace of its own.
    Namespaces,
}

/// The addresses of one node.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) api: String,
    pub(super) peer: String,
    /// The namespace to start the process in.
    pub(super) namespace: Option<String>,
}

/// The network of one cluster; taken down when dropped.
pub(super) enum Network {
    Loopback,
    Namespaces(Bridge),
}

/// A bridge with a namespace per node.
pub(super) struct Bridge {
    /// Begins every name that is made here.
    tag: String,
    /// The first three numbers of every address.
    prefix: String,
    nodes: usize,
    cuts: BTreeSet<(usize, usize)>,
}

impl Network {
    pub(super) fn new(place: Place) -> Result<Self, String> {
        Ok(match place {
            Place::Loopback => Self::Loopback,
            Place::Namespaces => Self::Namespaces(Bridge::new()?),
        })
    }

    /// Makes room for one node more.
    pub(super) fn add(&mut self) -> Result<Home, String> {
        match self {
            Self::Loopback => Ok(Home {
                api: format!("127.0.0.1:{}", free_port()),
                peer: format!("127.0.0.1:{}", free_port()),
                namespace: None,
            }),
            Self::Namespaces(bridge) => bridge.add(),
        }
    }

    /// Drops what `from` sends to `to`, or lets it through again.
    pub(super) fn set_cut(&mut self, from: usize, to: usize, cut: bool) -> Result<(), String> {
        match self {
            Self::Loopback => Err("links on the loopback device cannot be cut".to_owned()),
            Self::Namespaces(bridge) => bridge.set_cut(from, to, cut),
        }
    }
}

/// The tag of this process's `number`th network: what [`super::sweep`] recognises.
fn tag(number: u32) -> String {
    format!("cs{}x{number}", std::process::id())
}

impl Bridge {
    fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let tag = tag(number);
        run("ip", &["link", "add", &tag, "type", "bridge"])?;
        let mut bridge = Self { tag, prefix: String::new(), nodes: 0, cuts: BTreeSet::new() };
        // A range that nobody here has: begun at a place of its own, so that two runs at the same
        // time rarely try the same.
        let taken = run("ip", &["-o", "-4", "address"])?;
        let begin = std::process::id().wrapping_mul(7).wrapping_add(number) % 4096;
        let free = (0..4096u32)
            .map(|step| (begin + step) % 4096)
            .map(|place| format!("10.{}.{}.", 224 + place / 256, place % 256))
            .find(|prefix| !taken.contains(prefix.as_str()))
            .ok_or("no free range of addresses")?;
        bridge.prefix = free;
        let address = format!("{}1/24", bridge.prefix);
        run("ip", &["address", "add", &address, "dev", &bridge.tag])?;
        run("ip", &["link", "set", &bridge.tag, "up"])?;
        Ok(bridge)
    }

    fn namespace(&self, node: usize) -> String {
        format!("{}n{node}", self.tag)
    }

    fn address(&self, node: usize) -> String {
        format!("{}{}", self.prefix, 11 + node)
    }

    fn add(&mut self) -> Result<Home, String> {
        let node = self.nodes;
        let name = self.namespace(node);
        run("ip", &["netns", "add", &name])?;
        self.nodes += 1;
        let (outer, inner) = (format!("{name}o"), format!("{name}i"));
        run("ip", &["link", "add", &outer, "type", "veth", "peer", "name", &inner])?;
        run("ip", &["link", "set", &inner, "netns", &name, "name", "eth0"])?;
        run("ip", &["link", "set", &outer, "master", &self.tag, "up"])?;
        let address = format!("{}/24", self.address(node));
        let inside = |arguments: &[&str]| {
            let all: Vec<&str> = ["-n", &name].iter().chain(arguments).copied().collect();
            run("ip", &all)
        };
        inside(&["address", "add", &address, "dev", "eth0"])?;
        inside(&["link", "set", "lo", "up"])?;
        inside(&["link", "set", "eth0", "up"])?;
        Ok(Home {
            api: format!("{}:{API_PORT}", self.address(node)),
            peer: format!("{}:{PEER_PORT}", self.address(node)),
            namespace: Some(name),
        })
    }

    fn set_cut(&mut self, from: usize, to: usize, cut: bool) -> Result<(), String> {
        let changed =
            if cut { self.cuts.insert((from, to)) } else { self.cuts.remove(&(from, to)) };
        if !changed {
            return Ok(());
        }
        // The receiver's rules are written anew as one transaction.
        let senders: Vec<String> = self
            .cuts
            .iter()
            .filter(|(_, receiver)| *receiver == to)
            .map(|(sender, _)| format!("ip saddr {} drop\n", self.address(*sender)))
            .collect();
        let rules = format!(
            "table inet cut\ndelete table inet cut\ntable inet cut {{\nchain input {{\n\
             type filter hook input priority 0\n{}}}\n}}\n",
            senders.concat()
        );
        run("ip", &["netns", "exec", &self.namespace(to), "nft", &rules]).map(drop)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for node in 0..self.nodes {
            let name = self.namespace(node);
            // The cable goes with its end in the namespace, but only once the kernel gets to it.
            let _ = run("ip", &["link", "delete", &format!("{name}o")]);
            let _ = run("ip", &["netns", "delete", &name]);
        }
        if let Err(error) = run("ip", &["link", "delete", &self.tag]) {
            eprintln!("{error}");
        }
    }
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether links can be cut here; tried once.
pub(super) fn possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let tried = Bridge::new().and_then(|mut bridge| {
            bridge.add()?;
            bridge.add()?;
            bridge.set_cut(0, 1, true)?;
            bridge.set_cut(0, 1, false)
        });
        if let Err(reason) = &tried {
            eprintln!("links cannot be cut on this machine: {reason}");
        }
        tried.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `from` can open a connection to a listener at `to`.
    fn reaches(bridge: &Bridge, from: usize, to: usize) -> bool {
        let text = format!("timeout 0.3 bash -c '</dev/tcp/{}/9' 2>&1 || true", bridge.address(to));
        let said =
            run("ip", &["netns", "exec", &bridge.namespace(from), "bash", "-c", &text]).unwrap();
        // Nobody listens: a link that works brings the refusal back, a cut one brings nothing.
        said.contains("refused")
    }

    #[test]
    fn a_link_is_cut_in_one_direction_or_in_both_and_the_others_stay() {
        if !possible() {
            return;
        }
        let mut bridge = Bridge::new().unwrap();
        for _ in 0..3 {
            bridge.add().unwrap();
        }
        assert!(reaches(&bridge, 0, 1) && reaches(&bridge, 1, 0));
        bridge.set_cut(0, 1, true).unwrap();
        assert!(!reaches(&bridge, 0, 1));
        assert!(reaches(&bridge, 0, 2) && reaches(&bridge, 2, 1));
        bridge.set_cut(0, 1, false).unwrap();
        assert!(reaches(&bridge, 0, 1) && reaches(&bridge, 1, 0));
    }
}

//! A mail server that keeps to its script, however odd, and writes down what it was told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What it says to what, for one connection. What is not named is answered as usual.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// The greeting, if it is another than `220`.
    pub(crate) greeting: Option<&'static str>,
    /// What `EHLO` offers beside the name.
    pub(crate) offers: &'static [&'static str],
    /// The answer to a command that begins so.
    pub(crate) answers: &'static [(&'static str, Says)],
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// This line.
    Line(&'static str),
    /// Nothing more.
    Nothing,
    /// Closes.
    Closes,
    /// The line, and closes.
    Last(&'static str),
    /// The line, after a while.
    Late(&'static str, u64),
}

/// What stands for the end of an email's data in [`Manners::answers`].
pub(crate) const END: &str = ".";

pub(crate) struct SmtpPeer {
    pub(crate) address: SocketAddr,
    told: Arc<Mutex<Vec<Vec<String>>>>,
    _tasks: JoinSet<()>,
}

impl SmtpPeer {
    /// Has these manners with its connections in order, and the last ones for ever.
    pub(crate) async fn with(manners: &[Manners]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (log, manners) = (Arc::clone(&told), manners.to_vec());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(Vec::new());
                    log.len() - 1
                };
                let manners = manners[number.min(manners.len() - 1)].clone();
                let log = Arc::clone(&log);
                connections.spawn(async move {
                    // A client that went away ends it.
                    let _ = serve(stream, manners, |line| {
                        log.lock().unwrap()[number].push(line);
                    })
                    .await;
                });
            }
        });
        Self { address, told, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The lines of each connection.
    pub(crate) fn told(&self) -> Vec<Vec<String>> {
        self.told.lock().unwrap().clone()
    }

    /// All lines.
    pub(crate) fn everything(&self) -> String {
        self.told().concat().join("\n")
    }
}

async fn serve(stream: TcpStream, manners: Manners, told: impl Fn(String)) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let greeting = manners.greeting.unwrap_or("220 peer ESMTP");
    stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        told(line.clone());
        if in_data && line != END {
            continue;
        }
        let scripted = manners.answers.iter().find(|(command, _)| line.starts_with(command));
        let usual = if line.starts_with("EHLO") {
            let offers: String =
                manners.offers.iter().map(|offer| format!("-{offer}\r\n250")).collect();
            format!("250{offers} peer")
        } else if line == "DATA" {
            "354 go on".to_owned()
        } else {
            "250 fine".to_owned()
        };
        let answer = match scripted.map(|(_, says)| *says) {
            None => usual,
            Some(Says::Line(text)) => text.to_owned(),
            Some(Says::Nothing) => {
                Notify::new().notified().await;
                return Ok(());
            }
            Some(Says::Closes) => return Ok(()),
            Some(Says::Last(text)) => {
                stream.write_all(format!("{text}\r\n").as_bytes()).await?;
                return Ok(());
            }
            Some(Says::Late(text, millis)) => {
                sleep(std::time::Duration::from_millis(millis)).await;
                text.to_owned()
            }
        };
        in_data = line == "DATA" && answer.starts_with("354");
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

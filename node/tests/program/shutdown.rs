//! The end of a node: what was begun is finished, what is new is refused.

use crate::running::{ROOT_KEY, Running, call, ready, serve};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_request_in_flight_is_finished_while_new_ones_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let address = url.strip_prefix("http://").unwrap().to_owned();

    // The server says 100 Continue once it reads the body: from then on the request is in flight.
    let body = r#"{"displayName":"Ann"}"#;
    let mut request = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "PUT /v1/users/ann HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {ROOT_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    request.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 64];
    let read = request.read(&mut interim).await.unwrap();
    assert!(interim[..read].starts_with(b"HTTP/1.1 100"), "{:?}", &interim[..read]);

    node.terminate();
    node.logs("ending in order");
    while TcpStream::connect(&address).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    request.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(node.ended().success(), "{}", node.log());
    node.logs("ended in order");

    let (_again, url) = Running::serving(&mut serve(dir.path()));
    ready(&url).await;
    let (status, user) = call(Method::GET, format!("{url}/v1/users/ann"), None).await;
    assert_eq!((status, user["displayName"].as_str()), (200, Some("Ann")));
}

#[tokio::test]
async fn a_second_signal_ends_the_node_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut node, url) = Running::serving(serve(dir.path()).arg("--bootstrap"));
    ready(&url).await;
    let address = url.strip_prefix("http://").unwrap().to_owned();
    // A request that never sends its body keeps the node from ending in order.
    let mut request = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "PUT /v1/users/ann HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {ROOT_KEY}\r\n\
         content-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
    );
    request.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 64];
    assert!(request.read(&mut interim).await.unwrap() > 0);
    node.terminate();
    node.logs("ending in order");
    node.terminate();
    assert_eq!(node.ended().code(), Some(1));
    node.logs("ended at once");
}

#[tokio::test]
async fn a_hangup_reads_the_log_level_again_and_never_ends_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("countersign.toml");
    std::fs::write(&file, "log_level = \"info\"\n").unwrap();
    let data = dir.path().join("data");
    let mut command = serve(&data);
    let (mut node, url) = Running::serving(command.arg("--bootstrap").arg("--config").arg(&file));
    ready(&url).await;
    std::fs::write(&file, "log_level = \"debug\"\n").unwrap();
    node.hang_up();
    node.logs("settings read again level=\"debug\"");
    // What cannot be used changes nothing, and says so.
    std::fs::write(&file, "log_level = \"loud,,\"\n").unwrap();
    node.hang_up();
    node.logs("the settings cannot be used; nothing changes");
    std::fs::remove_file(&file).unwrap();
    for _ in 0..3 {
        node.hang_up();
    }
    ready(&url).await;
    assert_eq!(call(Method::GET, format!("{url}/v1/cluster"), None).await.0, 200);
    node.terminate();
    node.hang_up();
    assert!(node.ended().success(), "{}", node.log());
}

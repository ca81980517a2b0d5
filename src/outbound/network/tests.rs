use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[test]
fn private_addresses_are_a_setting_and_metadata_never() {
    for (address, private, public) in [
        ("93.184.216.34", true, true),
        ("2606:4700::1", true, true),
        ("10.0.0.1", true, false),
        ("127.0.0.1", true, false),
        ("127.8.8.8", true, false),
        ("192.168.1.1", true, false),
        ("172.16.0.1", true, false),
        ("100.64.0.1", true, false),
        ("198.18.0.1", true, false),
        ("::1", true, false),
        ("fc00::1", true, false),
        ("fec0::1", true, false),
        ("::ffff:10.0.0.1", true, false),
        ("::127.0.0.1", true, false),
        ("64:ff9b::10.0.0.1", true, false),
        ("2002:a00:1::1", true, false),
        ("::ffff:0:10.0.0.1", true, false),
        ("2606:4700::5efe:10.0.0.1", true, false),
        ("169.254.169.254", false, false),
        ("169.254.170.2", false, false),
        ("::ffff:169.254.169.254", false, false),
        ("::169.254.169.254", false, false),
        ("::ffff:0:169.254.169.254", false, false),
        ("64:ff9b::169.254.169.254", false, false),
        ("64:ff9b:1::a9fe:a9fe", false, false),
        ("2002:a9fe:a9fe::1", false, false),
        ("2606:4700::5efe:169.254.169.254", false, false),
        ("2001:0:a9fe:a9fe::1", false, false),
        ("fe80::1", false, false),
        ("febf::1", false, false),
        ("fe80::a9fe:a9fe", false, false),
        ("fd00:ec2::254", false, false),
        ("fd20:ce::254", false, false),
        ("100.100.100.200", false, false),
        ("168.63.129.16", false, false),
        ("192.0.0.192", false, false),
        ("0.0.0.0", false, false),
        ("0.1.2.3", false, false),
        ("::", false, false),
        ("::ffff:0.0.0.0", false, false),
        ("224.0.0.1", false, false),
        ("240.0.0.1", false, false),
        ("255.255.255.255", false, false),
        ("ff02::1", false, false),
    ] {
        let ip: IpAddr = address.parse().unwrap();
        assert_eq!(
            may_be_called(ip, true),
            private,
            "{address} on a private network"
        );
        assert_eq!(
            may_be_called(ip, false),
            public,
            "{address} on the public one"
        );
    }
}

#[test]
fn literal_addresses_are_filtered_in_every_spelling() {
    for text in [
        "http://169.254.169.254/",
        "http://169.254.169.254./",
        "http://169.254.43518/",
        "http://169.16689662/",
        "http://0xa9fea9fe/",
        "http://0xA9.0xFE.0xA9.0xFE/",
        "http://2852039166/",
        "http://0251.0376.0251.0376/",
        "http://025177524776/",
        "http://0000000000251.0x0fe.169.254/",
        "http://%31%36%39.254.169.254/",
        "http://169。254。169。254/",
        "http://１６９.254.169.254/",
        "http://①⑥⑨.254.169.254/",
        "http://user@169.254.169.254:80/x",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::]/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://0/",
        "http:\\\\169.254.169.254\\",
    ] {
        let url = Url::parse(text).unwrap();
        assert!(!literal_may_be_called(&url, true), "{text}");
    }
    // An address with a zone is none at all.
    for text in ["http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/"] {
        assert!(Url::parse(text).is_err(), "{text}");
    }
    let named = Url::parse("http://moodle.example.org/").unwrap();
    assert!(literal_may_be_called(&named, false));
}

/// A server that closes each connection after its answer, and counts them; its address.
async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let served = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            served.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = b"HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    (address, count)
}

/// Connections that find names by what this double says, one answer after the other.
fn client(private_network: bool, answers: &[&[&str]]) -> (reqwest::Client, Arc<AtomicUsize>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 0);
    let answers: Vec<Vec<SocketAddr>> = answers
        .iter()
        .map(|ips| ips.iter().map(address).collect())
        .collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, answers) = (asked.clone(), Mutex::new(answers.into_iter()));
    let filter = Filter {
        private_network,
        look_up: Arc::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            let next = answers.lock().unwrap().next().unwrap();
            Box::pin(async move { Ok(next) })
        }),
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .dns_resolver(Arc::new(filter))
        .build();
    (client.unwrap(), asked)
}

async fn get(client: &reqwest::Client, port: u16) -> Result<(), String> {
    let url = format!("http://rebinding.example.org:{port}/");
    let request = client.get(url).build().unwrap();
    let outcome = execute(client, request, true).await.unwrap();
    // The innermost cause.
    outcome.map(drop).map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        cause.to_string()
    })
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_filtered_again() {
    let (address, served) = server().await;
    let never = "its name leads only to addresses that must not be called";
    let answers: [&[&str]; 3] = [
        &["127.0.0.1"],
        &["169.254.169.254", "::ffff:169.254.169.254"],
        // Of several, those that may be called.
        &["169.254.169.254", "fd00:ec2::254", "127.0.0.1"],
    ];
    let (client, asked) = client(true, &answers);
    assert_eq!(get(&client, address.port()).await, Ok(()));
    assert_eq!(get(&client, address.port()).await, Err(never.to_owned()));
    assert_eq!(get(&client, address.port()).await, Ok(()));
    // Asked once for each connection: what was filtered is what is connected to.
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    assert_eq!(served.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn where_private_addresses_are_not_allowed_a_name_does_not_lead_there_either() {
    let (address, served) = server().await;
    let (client, _) = client(false, &[&["127.0.0.1", "::1", "10.0.0.1"]]);
    assert!(get(&client, address.port()).await.is_err());
    assert_eq!(served.load(Ordering::Relaxed), 0);
}

/// All sources but tests and the sample systems, with their paths.
fn sources(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() && !name.ends_with("/sample") {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn nothing_is_sent_or_connected_past_the_policy() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut found = Vec::new();
    sources(root.as_ref(), &mut found);
    assert!(found.len() > 200);
    for (words, allowed) in [
        ("client.execute(", &["outbound/network.rs"][..]),
        (".send().await", &[]),
        ("Client::builder()", &["outbound/lane.rs"]),
        ("Client::new()", &[]),
        (
            "lookup_host(",
            &["outbound/network.rs", "outbound/connection_test.rs"],
        ),
        ("TcpStream::connect(", &["outbound/connection_test.rs"]),
    ] {
        let with = found.iter().filter(|(_, text)| text.contains(words));
        let with: Vec<_> = with.map(|(name, _)| &name[root.len() + 1..]).collect();
        assert!(
            with.iter().all(|name| allowed.contains(name)),
            "{words}: {with:?}"
        );
        assert!(
            allowed.iter().all(|name| with.contains(name)),
            "{words}: {with:?}"
        );
    }
}

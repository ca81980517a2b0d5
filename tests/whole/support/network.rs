//! What stands between a gateway and PostgreSQL, and can be cut without a word: those who talk over it hear
//! nothing any more, as of a machine that lost its power.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::Database;

/// The name that PostgreSQL gives its socket.
const SOCKET: &str = ".s.PGSQL.5432";

pub struct Network {
    /// The database's address by way of it.
    pub url: String,
    cuts: Arc<watch::Sender<u32>>,
    _folder: tempfile::TempDir,
}

impl Network {
    /// To a PostgreSQL database.
    pub fn to(database: &Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let (before, there) = database.url.split_once("?host=").unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let cuts = Arc::new(watch::Sender::new(0));
        let (cut, socket) = (cuts.clone(), format!("{there}/{SOCKET}"));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass_on(near, socket.clone(), cut.subscribe()));
            }
        });
        Self {
            url: format!("{before}?host={}", folder.path().display()),
            cuts,
            _folder: folder,
        }
    }

    /// Of the connections that there are now, and of those that are made until it is mended, nothing is heard
    /// any more.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Connections that are made from now on lead to PostgreSQL again. Those of before never do.
    pub fn mend(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn pass_on(mut near: UnixStream, socket: String, mut cuts: watch::Receiver<u32>) {
    let is_cut = *cuts.borrow_and_update() % 2 == 1;
    if !is_cut {
        let Ok(mut there) = UnixStream::connect(socket).await else {
            return;
        };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut there) => return,
            _ = cuts.changed() => {}
        }
    }
    // Kept open and never answered.
    std::future::pending::<()>().await;
    drop(near);
}

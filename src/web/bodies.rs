//! How long a request's body may take to come. The server library limits how long the head may, and nothing else: who
//! sends a byte now and then would hold a connection for as long as they like.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

/// The longest body but that of an import: a list of enrollments, of 8 MiB.
pub(super) const IN_ALL: Duration = Duration::from_secs(30);

/// Says whether a body came too late, whatever was made of that.
pub(super) type Late = Rc<Cell<bool>>;

/// A body that ends with an error where it does not come in time; one that is not there stays so.
pub(super) fn in_time(body: Payload, time: Duration, late: &Late) -> Payload {
    if matches!(body, Payload::None) {
        return body;
    }
    let (end, late) = (Instant::now() + time, late.clone());
    let pieces = stream::try_unfold(body, move |mut body| {
        let late = late.clone();
        async move {
            match timeout_at(end, body.next()).await {
                Ok(Some(piece)) => Ok(Some((piece?, body))),
                Ok(None) => Ok(None),
                Err(_) => {
                    late.set(true);
                    Err(PayloadError::Io(io::ErrorKind::TimedOut.into()))
                }
            }
        }
    });
    Payload::Stream {
        payload: Box::pin(pieces),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::{Bytes, BytesMut};

    use super::*;

    fn of(pieces: impl futures_util::Stream<Item = Bytes> + 'static) -> Payload {
        Payload::Stream {
            payload: Box::pin(pieces.map(Ok)),
        }
    }

    async fn read(body: Payload, time: Duration) -> (Result<BytesMut, PayloadError>, bool) {
        let late = Late::default();
        let mut body = in_time(body, time, &late);
        let mut all = BytesMut::new();
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => all.extend_from_slice(&piece),
                Err(error) => return (Err(error), late.get()),
            }
        }
        (Ok(all), late.get())
    }

    #[actix_web::test]
    async fn a_body_that_does_not_end_in_time_is_none() {
        let piece = || Bytes::from_static(b"a=1&");
        let (body, late) = read(of(stream::iter([piece(), piece()])), IN_ALL).await;
        assert_eq!(&*body.unwrap(), b"a=1&a=1&");
        assert!(!late);
        let hangs = stream::iter([piece()]).chain(stream::pending());
        let (body, late) = read(of(hangs), Duration::from_millis(10)).await;
        assert!(matches!(body, Err(PayloadError::Io(_))));
        assert!(late);
        assert!(matches!(
            in_time(Payload::None, IN_ALL, &Late::default()),
            Payload::None
        ));
    }
}

//! Export portfolio (protocol 10): what a learner did in a session, as the external server shows it. In LAMS it
//! was asked for in the author's name, so it could never be a learner's.

use super::outputs::{learner, reading_of_session};
use super::{Gateway, Refusal};
use crate::domain::session::SessionKey;
use crate::outbound::Portfolio;

/// Opens a learner's portfolio. The learner's external login comes with it.
pub async fn open(
    gateway: &Gateway,
    key: &SessionKey,
    user: &str,
) -> Result<(Portfolio, String), Refusal> {
    let person = learner(user)?;
    let (reading, session) = reading_of_session(gateway, key).await?;
    let place = reading.place_of(&person);
    let portfolio = gateway
        .outbound()
        .portfolio(reading.page(&place), &session)
        .await?;
    Ok((portfolio.ok_or(Refusal::NoPortfolio)?, place.user))
}

//! OAuth2 client credentials of an Open edX: a token is asked for once and used until shortly before it expires.
//! Who needs one while another asks waits for that answer: the LMS throttles its token end point.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use super::ask::{Ask, Body, in_seconds};
use super::failure::{LmsCode, LmsFailure};
use crate::domain::lms::{Client, Lms};
use crate::outbound::Outbound;

/// A token counts as expired so long before it is, in seconds: a call may take that long.
const MARGIN: u64 = 30;

/// A connection's client: where, who, and a hash of its secret.
type Key = (String, String, [u8; 32]);

/// A place for one token.
type Place = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens of all connections.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<HashMap<Key, Place>>);

#[derive(Debug, Clone)]
struct Token {
    /// What stands before it in the header.
    scheme: &'static str,
    text: SecretString,
    until: Instant,
}

impl Tokens {
    fn place(&self, lms: &Lms, client: &Client) -> Place {
        let hash = Sha256::digest(client.secret.expose_secret()).into();
        let key = (lms.address.root().to_owned(), client.id.clone(), hash);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(key).or_default().clone()
    }
}

/// A token, as a header carries it, and by itself.
pub(super) struct Bearer {
    pub(super) header: String,
    pub(super) secret: SecretString,
}

impl Outbound {
    /// A token for a connection; where `refused` is given, another one than that.
    pub(super) async fn bearer(
        &self,
        lms: &Lms,
        client: &Client,
        refused: Option<&SecretString>,
    ) -> Result<Bearer, LmsFailure> {
        let place = self.tokens().place(lms, client);
        let mut kept = place.lock().await;
        let was_refused = |token: &Token| {
            let (own, refused) = (&token.text, refused.map(ExposeSecret::expose_secret));
            let own = own.expose_secret().as_bytes();
            refused.is_some_and(|refused| own.ct_eq(refused.as_bytes()).into())
        };
        if let Some(token) = kept.as_ref()
            && token.until > Instant::now()
            && !was_refused(token)
        {
            return Ok(token.bearer());
        }
        let token = self.ask_for_token(lms, client).await?;
        let bearer = token.bearer();
        *kept = Some(token);
        Ok(bearer)
    }

    async fn ask_for_token(&self, lms: &Lms, client: &Client) -> Result<Token, LmsFailure> {
        let url = format!("{}/oauth2/access_token", lms.address.root());
        let url = Url::parse(&url)
            .map_err(|error| LmsFailure::new(LmsCode::NotCallable, error.to_string()))?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client.id),
            ("client_secret", client.secret.expose_secret()),
            ("token_type", "jwt"),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let ask = Ask::reading("oauth2_token", url, Body::Form(form.to_vec()));
        let answer = self.ask(lms, &ask).await?;
        let secrets = ask.secrets(lms);
        if !answer.is_success() {
            let refused = answer.refused(&secrets);
            let words = format!("it gave no token: {}", refused.detail);
            return Err(LmsFailure::new(LmsCode::Credentials, words).saying(refused.said));
        }
        let json = answer.json(&secrets)?.unwrap_or_default();
        let Some(text) = json["access_token"]
            .as_str()
            .filter(|text| !text.is_empty())
        else {
            // Without its words: there may be a token in them.
            return Err(LmsFailure::new(
                LmsCode::Protocol,
                "its answer holds no access_token",
            ));
        };
        let lives = json["expires_in"].as_u64().unwrap_or(300);
        let kind = json["token_type"].as_str().unwrap_or("JWT");
        Ok(Token {
            scheme: if kind.eq_ignore_ascii_case("jwt") {
                "JWT"
            } else {
                "Bearer"
            },
            text: SecretString::from(text),
            until: in_seconds(lives.saturating_sub(MARGIN)),
        })
    }
}

impl Token {
    fn bearer(&self) -> Bearer {
        Bearer {
            header: format!("{} {}", self.scheme, self.text.expose_secret()),
            secret: self.text.clone(),
        }
    }
}

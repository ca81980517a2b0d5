//! Tickets: random secrets that browsers hold. A session's id, a known device, the address for the first
//! sysadmin. Whoever holds one is believed; here only its SHA-256 is kept.

use hmac::Mac;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::launch_signature::hmac_of;

/// 256 random bits.
#[derive(Clone)]
pub struct Ticket([u8; 32]);

impl Ticket {
    /// A ticket of 32 random bytes.
    pub fn of(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads what [`Ticket::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As it stands in a cookie or address: 64 hexadecimal digits.
    pub fn text(&self) -> String {
        hex::encode(self.0)
    }

    /// What is kept of it. Random bits need no salt and no slow hash; and a look-up by it takes a time
    /// that says nothing of the ticket.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The token that forms of this ticket's session carry: an HMAC under the ticket, so that it tells
    /// nothing of the ticket, and a token of another session is worth nothing.
    pub fn form_token(&self) -> String {
        hex::encode(self.form_mac())
    }

    /// Whether a form carried the token of this session.
    pub fn made_form_token(&self, token: &str) -> bool {
        let mut bytes = [0; 32];
        hex::decode_to_slice(token, &mut bytes).is_ok() && self.form_mac().ct_eq(&bytes).into()
    }

    fn form_mac(&self) -> [u8; 32] {
        hmac_of(&self.0)
            .chain_update(b"toolgate form token v1")
            .finalize()
            .into_bytes()
            .into()
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_as_it_was_written() {
        let ticket = Ticket::of([7; 32]);
        assert_eq!(Ticket::parse(&ticket.text()).unwrap().hash(), ticket.hash());
        assert_ne!(hex::encode(ticket.hash()), ticket.text());
        assert_ne!(ticket.hash(), Ticket::of([8; 32]).hash());
        assert!(!format!("{ticket:?}").contains("07"));
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            assert!(Ticket::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_form_token_is_of_one_session() {
        let (one, other) = (Ticket::of([1; 32]), Ticket::of([2; 32]));
        assert!(one.made_form_token(&one.form_token()));
        assert!(!other.made_form_token(&one.form_token()));
        for wrong in ["", &one.text(), &one.form_token()[..62], &"0".repeat(64)] {
            assert!(!one.made_form_token(wrong), "{wrong}");
        }
    }
}

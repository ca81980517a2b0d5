//! An address taken apart for people: what stands before its question mark, its parameters decoded, and the
//! addresses that stand within them taken apart too, however often they are encoded.

use super::query::Query;

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressParts {
    /// What stands before the question mark, as it is.
    pub base: String,
    /// Its parameters in their order.
    pub parameters: Vec<Parameter>,
}

/// A parameter of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, decoded.
    pub name: String,
    /// Its value, decoded once, or as it is where it is not well-formed.
    pub value: String,
    /// The address that the value is.
    pub within: Option<AddressParts>,
}

/// Nobody sends an address in an address in an address in an address.
const DEEPEST: usize = 3;

impl AddressParts {
    /// Takes an address apart.
    pub fn of(address: &str) -> Self {
        Self::at_depth(address, 0)
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|one| one.name == name);
        found.map(|one| one.value.as_str())
    }

    fn at_depth(address: &str, depth: usize) -> Self {
        let (base, query) = address.split_once('?').unwrap_or((address, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            let within = (depth < DEEPEST).then(|| address_in(&value)).flatten();
            Parameter {
                name: decoded(name),
                within: within.map(|within| Self::at_depth(&within, depth + 1)),
                value,
            }
        });
        Self {
            base: base.to_owned(),
            parameters: parameters.collect(),
        }
    }
}

/// The address that a value is, also where it is encoded once more.
fn address_in(value: &str) -> Option<String> {
    let is_address = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    if is_address(value) {
        return Some(value.to_owned());
    }
    let again =
        (value.starts_with("http%3A") || value.starts_with("https%3A")).then(|| decoded(value));
    again.filter(|again| is_address(again))
}

fn decoded(text: &str) -> String {
    let raw = format!("v={text}");
    let query = Query::parse(&raw);
    query.get("v").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_within_are_taken_apart_however_often_they_are_encoded() {
        let inner = "http://g/x?id=1&state=…";
        for encoded in [
            "http%3A%2F%2Fg%2Fx%3Fid%3D1%26state%3D…",
            "http%253A%252F%252Fg%252Fx%253Fid%253D1%2526state%253D…",
        ] {
            let parts = AddressParts::of(&format!("http://h/a?u={encoded}&un=b+c"));
            assert_eq!(
                (parts.base.as_str(), parts.get("un")),
                ("http://h/a", Some("b c"))
            );
            let within = parts.parameters[0].within.as_ref().unwrap();
            assert_eq!(within, &AddressParts::of(inner));
            assert_eq!(within.get("id"), Some("1"));
        }
    }

    #[test]
    fn three_are_taken_apart_within_each_other_and_no_more() {
        let within = |address: &str| format!("http://h/?u={}", urlencoding::encode(address));
        let deep = within(&within(&within(&within("http://h/end"))));
        let mut parts = AddressParts::of(&deep);
        for _ in 0..3 {
            parts = parts.parameters.remove(0).within.expect("one more");
        }
        assert_eq!(parts.parameters[0].within, None);
        assert_eq!(parts.get("u"), Some("http://h/end"));
    }

    #[test]
    fn what_is_broken_stands_as_it_is() {
        let parts = AddressParts::of("/a?x=%zz&&y");
        assert_eq!((parts.get("x"), parts.get("y")), (Some("%zz"), Some("")));
        assert_eq!(AddressParts::of("/a").parameters, []);
    }
}

//! Objects of JSON, and tables of TOML, read as such alone. Readers that serde derives take an array too, and give its
//! values to the fields by position: a list that nobody meant so would set something, or be shown as a name.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What is read of an object, and of nothing else.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let read = reader.deserialize_map(OfMap(PhantomData))?;
        Ok(Self(read))
    }
}

struct OfMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// For `deserialize_with`: a field that holds an object.
pub fn one<'de, T, D>(reader: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Object::deserialize(reader)?.0)
}

/// For `deserialize_with`: a field that holds an object or null.
pub fn maybe_one<'de, T, D>(reader: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let read: Option<Object<T>> = Option::deserialize(reader)?;
    Ok(read.map(|object| object.0))
}

/// For `deserialize_with`: a field that holds a list of objects.
pub fn many<'de, T, D>(reader: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let read: Vec<Object<T>> = Vec::deserialize(reader)?;
    Ok(read.into_iter().map(|object| object.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Flag {
        is_set: bool,
    }

    #[derive(serde::Deserialize)]
    struct Flags {
        #[serde(deserialize_with = "one")]
        one: Flag,
        #[serde(default, deserialize_with = "maybe_one")]
        maybe_one: Option<Flag>,
        #[serde(default, deserialize_with = "many")]
        many: Vec<Flag>,
    }

    #[test]
    fn objects_are_read() {
        let text = r#"{"one": {"is_set": true}, "maybe_one": null, "many": [{"is_set": false}]}"#;
        let flags: Object<Flags> = serde_json::from_str(text).unwrap();
        assert_eq!(flags.0.one, Flag { is_set: true });
        assert_eq!(flags.0.maybe_one, None);
        assert_eq!(flags.0.many, [Flag { is_set: false }]);
    }

    #[test]
    fn a_list_is_no_object_and_its_values_are_not_told() {
        for text in [
            r#"[{"is_set": true}]"#,
            r#"{"one": [true]}"#,
            r#"{"one": {"is_set": true}, "maybe_one": [true]}"#,
            r#"{"one": {"is_set": true}, "many": [[true]]}"#,
        ] {
            let error = serde_json::from_str::<Object<Flags>>(text).err().unwrap();
            let error = error.to_string();
            assert!(error.contains("sequence, expected an object"), "{error}");
            assert!(!error.contains("true"), "{error}");
        }
    }
}

//! The forms of values in words: "integer from 1", "list of", and the shape that is referred to.

use utoipa::Number;
use utoipa::openapi::schema::{ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};

/// The form of a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::web) struct Form {
    /// In words; with a shape, what stands before it.
    pub(in crate::web) words: String,
    /// The shape that it refers to.
    pub(in crate::web) shape: Option<String>,
    /// The regular expression that it matches.
    pub(in crate::web) pattern: Option<String>,
}

impl Form {
    /// The form of values of a schema.
    pub(super) fn of(schema: &RefOr<Schema>) -> Self {
        let words = |words: String| Self {
            words,
            ..Self::default()
        };
        match schema {
            RefOr::Ref(_) => Self {
                shape: name_of(schema).map(str::to_owned),
                ..Self::default()
            },
            RefOr::T(Schema::Object(object)) => Self {
                pattern: object.pattern.clone(),
                ..words(of_object(object))
            },
            RefOr::T(Schema::Array(array)) => match &array.items {
                ArrayItems::RefOrSchema(items) => {
                    let items = Self::of(items);
                    Self {
                        words: format!("list of {}", items.words).trim_end().to_owned(),
                        ..items
                    }
                }
                ArrayItems::False => words("list".to_owned()),
            },
            RefOr::T(Schema::OneOf(one_of)) => {
                let forms: Vec<_> = one_of
                    .items
                    .iter()
                    .map(|item| Self::of(item).words)
                    .collect();
                words(forms.join(", or "))
            }
            RefOr::T(_) => words("any".to_owned()),
        }
    }
}

/// The name of the shape that a schema refers to.
pub(super) fn name_of(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}

/// What a schema says of itself.
pub(super) fn description(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => Some(&reference.description),
        RefOr::T(Schema::Object(object)) => object.description.as_ref(),
        RefOr::T(Schema::Array(array)) => array.description.as_ref(),
        RefOr::T(Schema::OneOf(one_of)) => one_of.description.as_ref(),
        RefOr::T(_) => None,
    }
    .map(String::as_str)
}

fn of_object(object: &Object) -> String {
    let types: &[Type] = match &object.schema_type {
        SchemaType::Type(kind) => std::slice::from_ref(kind),
        SchemaType::Array(kinds) => kinds,
        SchemaType::AnyValue => &[],
    };
    let null = if types.contains(&Type::Null) {
        " or null"
    } else {
        ""
    };
    if let Some(values) = &object.enum_values {
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        return format!("one of {}{null}", values.join(", "));
    }
    let time = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    let words = match types.iter().find(|kind| **kind != Type::Null) {
        Some(Type::String) if object.format == Some(time) => "time (RFC 3339)".to_owned(),
        Some(Type::String) if !object.content_media_type.is_empty() => "file".to_owned(),
        Some(Type::String) => {
            let (least, most) = (object.min_length, object.max_length);
            match range(least.map(|n| n.to_string()), most.map(|n| n.to_string())) {
                None => "string".to_owned(),
                Some(range) => format!("string, {range} characters"),
            }
        }
        Some(Type::Integer | Type::Number) => {
            let (least, most) = (object.minimum.as_ref(), object.maximum.as_ref());
            match range(least.map(number), most.map(number)) {
                None => "integer".to_owned(),
                Some(range) => format!("integer, {range}"),
            }
        }
        Some(Type::Boolean) => "true or false".to_owned(),
        Some(Type::Array) => "list".to_owned(),
        Some(Type::Object) => "object".to_owned(),
        _ => "any".to_owned(),
    };
    words + null
}

fn range(least: Option<String>, most: Option<String>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    }
}

fn number(number: &Number) -> String {
    match number {
        Number::Int(number) => number.to_string(),
        Number::UInt(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref};

    fn words(schema: impl Into<RefOr<Schema>>) -> String {
        Form::of(&schema.into()).words
    }

    fn object(kind: impl Into<SchemaType>) -> ObjectBuilder {
        ObjectBuilder::new().schema_type(kind)
    }

    #[test]
    fn forms_are_said_in_words() {
        assert_eq!(words(object(Type::Boolean)), "true or false");
        assert_eq!(
            words(object(Type::Integer).minimum(Some(1))),
            "integer, at least 1"
        );
        let login = object(Type::String)
            .min_length(Some(1))
            .max_length(Some(255));
        assert_eq!(words(login), "string, 1 to 255 characters");
        let time = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        assert_eq!(
            words(object(Type::String).format(Some(time))),
            "time (RFC 3339)"
        );
        let nullable = SchemaType::from_iter([Type::String, Type::Null]);
        assert_eq!(words(object(nullable)), "string or null");
        let either = OneOfBuilder::new()
            .item(object(Type::Integer))
            .item(object(Type::Boolean));
        assert_eq!(words(either), "integer, or true or false");
    }

    #[test]
    fn a_list_keeps_the_shape_that_it_is_of() {
        let list = ArrayBuilder::new().items(Ref::from_schema_name("Tool"));
        let form = Form::of(&list.into());
        assert_eq!(
            (form.words.as_str(), form.shape.as_deref()),
            ("list of", Some("Tool"))
        );
    }
}

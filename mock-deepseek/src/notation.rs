//! Values with a short and a long notation: `"300ms"` or `{ uniform = { … } }`.
//!
//! serde's untagged enums would do, but they lose the place and the words of an error. Invariant:
//! an error within the long notation points at the key or value that is wrong, not at the table.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What a short notation can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Short<'a> {
    Text(&'a str),
    Whole(i64),
    Decimal(f64),
}

/// A type with two notations.
pub(crate) trait Notation: Sized {
    /// The long notation.
    type Long: DeserializeOwned;
    /// What is expected, for errors: `a duration such as ..., or a table`.
    const EXPECTED: &'static str;

    /// Reads the short notation; `None` when it is of the wrong type.
    fn short(short: Short<'_>) -> Option<Result<Self, String>>;

    /// Reads the long notation.
    fn long(long: Self::Long) -> Result<Self, String>;
}

/// For implementations of `Deserialize`.
pub(crate) fn read<'de, T: Notation, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Reader(PhantomData))
}

struct Reader<T>(PhantomData<T>);

impl<T: Notation> Reader<T> {
    fn short<E: Error>(&self, short: Short<'_>) -> Result<T, E> {
        let found = match short {
            Short::Text(text) => serde::de::Unexpected::Str(text),
            Short::Whole(number) => serde::de::Unexpected::Signed(number),
            Short::Decimal(number) => serde::de::Unexpected::Float(number),
        };
        match T::short(short) {
            None => Err(E::invalid_type(found, self)),
            Some(read) => read.map_err(E::custom),
        }
    }
}

impl<'de, T: Notation> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.short(Short::Text(text))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.short(Short::Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.short(Short::Whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.short(Short::Decimal(number))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::long(T::Long::deserialize(MapAccessDeserializer::new(map))?).map_err(A::Error::custom)
    }
}

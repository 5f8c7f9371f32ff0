//! A JSON text as it was sent. Unlike `serde_json::Value` it keeps a key that comes twice, and unlike serde
//! it takes no list for an object: fields by position would change their meaning with the order of a struct.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::Value;

/// A value with everything below it.
#[derive(Debug)]
pub(super) enum Tree {
    /// Neither a list nor an object.
    Leaf(Value),
    List(Vec<Tree>),
    /// In the order they came.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Where a text with the character U+0000 is, as `place.source`: PostgreSQL keeps none.
    pub fn nul(&self) -> Option<String> {
        let below = |name: String, tree: &Self| {
            tree.nul().map(|path| if path.is_empty() { name.clone() } else { format!("{name}.{path}") })
        };
        match self {
            Self::Leaf(Value::String(text)) => text.contains('\0').then(String::new),
            Self::Leaf(_) => None,
            Self::List(items) => items.iter().enumerate().find_map(|(n, item)| below(format!("[{n}]"), item)),
            Self::Object(entries) => entries.iter().find_map(|(name, entry)| below(name.clone(), entry)),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::from(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Tree>()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = object.next_entry::<String, Tree>()? {
            entries.push(entry);
        }
        Ok(Tree::Object(entries))
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Tree {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Tree {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Self::Leaf(value) => value.deserialize_any(visitor),
            Self::List(items) => {
                SeqDeserializer::<_, Self::Error>::new(items.into_iter()).deserialize_any(visitor)
            }
            Self::Object(entries) => {
                MapDeserializer::<'de, _, Self::Error>::new(entries.into_iter()).deserialize_any(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Self::Leaf(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self {
            Self::Object(_) => self.deserialize_any(visitor),
            Self::List(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            Self::Leaf(value) => value.deserialize_struct(name, fields, visitor),
        }
    }

    /// Enums in a body are plain words.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self {
            Self::Leaf(value) => value.deserialize_enum(name, variants, visitor),
            Self::List(_) => Err(de::Error::invalid_type(Unexpected::Seq, &"a string")),
            Self::Object(_) => Err(de::Error::invalid_type(Unexpected::Map, &"a string")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        inner: Inner,
        inners: Vec<Inner>,
        word: Option<Word>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        number: f64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Yes,
    }

    fn read(json: &str) -> Result<Outer, String> {
        let tree: Tree = serde_json::from_str(json).unwrap();
        Outer::deserialize(tree).map_err(|error| error.to_string())
    }

    #[test]
    fn objects_are_read_as_serde_reads_them() {
        let read = read(r#"{"inner":{"number":1},"inners":[{"number":-2},{"number":0.5}],"word":"yes"}"#);
        let number = |number| Inner { number };
        let outer =
            Outer { inner: number(1.0), inners: vec![number(-2.0), number(0.5)], word: Some(Word::Yes) };
        assert_eq!(read.unwrap(), outer);
    }

    #[test]
    fn a_nul_is_found_and_six_characters_that_spell_one_are_none() {
        let nul = |json: &str| serde_json::from_str::<Tree>(json).unwrap().nul();
        assert_eq!(nul(r#"{"a":{"b":["","\u0000"]}}"#).as_deref(), Some("a.b.[1]"));
        assert_eq!(nul(r#"{"a":"\\u0000"}"#), None);
    }

    #[test]
    fn a_list_is_no_struct_at_any_depth_and_a_key_comes_once() {
        for (json, says) in [
            (r#"[{"number":1},[],null]"#, "invalid type: sequence, expected struct Outer"),
            (r#"{"inner":[1],"inners":[]}"#, "invalid type: sequence, expected struct Inner"),
            (r#"{"inner":{"number":1},"inners":[[1]]}"#, "invalid type: sequence, expected struct Inner"),
            (r#"{"inner":{"number":1,"number":2},"inners":[]}"#, "duplicate field `number`"),
            (r#"{"inner":{"number":null},"inners":[]}"#, "invalid type: null, expected f64"),
            (r#"{"inner":{"number":1},"inners":[],"word":["yes"]}"#, "invalid type: sequence"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(says), "{json}: {error}");
        }
    }
}

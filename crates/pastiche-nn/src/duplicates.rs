//! Names that stand twice in a JSON object, which readers of JSON pass over in silence.

use std::{collections::HashSet, fmt};

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// The first key that a JSON object has twice.
pub(crate) fn first_duplicate_key(json: &[u8]) -> Option<String> {
    // What is no object has been refused before; here it has no keys.
    serde_json::Deserializer::from_slice(json).deserialize_map(Keys).unwrap_or(None)
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen = HashSet::new();
        let mut duplicate = None;
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            if !seen.insert(key.clone()) {
                duplicate.get_or_insert(key);
            }
        }
        Ok(duplicate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_the_object_itself_count() {
        assert_eq!(first_duplicate_key(br#"{"a": {"x": 1}, "b": {"x": 1}}"#), None);
        assert_eq!(first_duplicate_key(br#"{"a": 1, "b": 2, "b": 3, "a": 4}"#), Some("b".to_owned()));
        // Written otherwise, it is the same name.
        assert_eq!(first_duplicate_key(br#"{"a": 1, "\u0061": 2}  "#), Some("a".to_owned()));
        assert_eq!(first_duplicate_key(b"[]"), None);
    }
}

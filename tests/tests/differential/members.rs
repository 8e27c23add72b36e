//! JSON objects by their members, as they are written: with numbers that no float can be, and names that stand there twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// An object's members in their order, each with the JSON text of its value.
pub(crate) type Members = Vec<(String, String)>;

/// Those of a JSON object; nothing of anything else.
pub(crate) fn members(json: &str) -> Option<Members> {
    struct Object(Members);

    impl<'de> Deserialize<'de> for Object {
        fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
            json.deserialize_map(Self(Vec::new()))
        }
    }

    impl<'de> Visitor<'de> for Object {
        type Value = Self;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(mut self, mut object: M) -> Result<Self, M::Error> {
            while let Some((name, value)) = object.next_entry::<String, Box<RawValue>>()? {
                self.0.push((name, value.get().to_owned()));
            }
            Ok(self)
        }
    }

    serde_json::from_str::<Object>(json).ok().map(|object| object.0)
}

/// The last value of a name; nothing also if it is a number that no float can be.
pub(crate) fn value(members: &Members, name: &str) -> Option<Value> {
    let (_, json) = members.iter().rfind(|(other, _)| other == name)?;
    serde_json::from_str(json).ok()
}

/// The number that a JSON text is, infinite if it is beyond a float.
pub(crate) fn number(json: &str) -> Option<f64> {
    json.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| json.parse().unwrap())
}

pub(crate) fn changed(json: &str, change: impl FnOnce(&mut Members)) -> Option<String> {
    let before = members(json)?;
    let mut after = before.clone();
    change(&mut after);
    let text =
        || after.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",");
    (after != before).then(|| format!("{{{}}}", text()))
}

pub(crate) fn keep_the_last(members: &mut Members, names: &[&str]) {
    let all = members.clone();
    let mut at = 0;
    members.retain(|(name, _)| {
        at += 1;
        !names.contains(&&**name) || !all[at..].iter().any(|(later, _)| later == name)
    });
}

pub(crate) fn replace(members: &mut Members, new: impl Fn(&str, &str) -> Option<String>) {
    for (name, json) in members {
        if let Some(new) = new(name, json) {
            *json = new;
        }
    }
}

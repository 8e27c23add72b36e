//! Which claims are looked for in a token, and what each of them is for.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::token::Text;

/// What a claim tells: those that RFC 7519 §4.1 registers, and those that a backend reads its user from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Exp,
    Nbf,
    Iat,
    Iss,
    Aud,
    Sub,
    Jti,
    Id,
    Name,
    Admin,
    Roles,
}

const REGISTERED: [(&str, Part); 7] = [
    ("exp", Part::Exp),
    ("nbf", Part::Nbf),
    ("iat", Part::Iat),
    ("iss", Part::Iss),
    ("aud", Part::Aud),
    ("sub", Part::Sub),
    ("jti", Part::Jti),
];

/// The claims that somebody asks for, each once, whatever it is for.
#[derive(Debug)]
pub(super) struct Wanted(Vec<Claim>);

#[derive(Debug)]
struct Claim {
    name: String,
    /// Its first bytes: enough to tell it from nearly all others.
    start: u64,
    parts: Vec<Part>,
    /// Its bit in [`Found::required`], if it must be there.
    required: u64,
}

impl Wanted {
    /// The registered claims, these, by what they tell, and those that are required, 64 at most.
    pub(super) fn new<'n>(named: impl IntoIterator<Item = (&'n str, Part)>, required: &[String]) -> Self {
        let mut wanted = Self(Vec::new());
        for (name, part) in REGISTERED.into_iter().chain(named) {
            wanted.add(name, Some(part), 0);
        }
        for (bit, name) in required.iter().enumerate() {
            wanted.add(name, None, 1 << bit);
        }
        wanted
    }

    fn add(&mut self, name: &str, part: Option<Part>, required: u64) {
        match self.0.iter_mut().find(|claim| claim.name == name) {
            Some(claim) => {
                claim.parts.extend(part);
                claim.required |= required;
            }
            None => {
                let parts = part.into_iter().collect();
                self.0.push(Claim { name: name.to_owned(), start: start(name), parts, required });
            }
        }
    }

    /// Looks for them in the text of a JSON object; nothing if it is none.
    pub(super) fn find<'a>(&self, json: &'a str) -> Option<Found<'a>> {
        let mut json = serde_json::Deserializer::from_str(json);
        let found = self.deserialize(&mut json).ok()?;
        json.end().ok().map(|()| found)
    }
}

/// The claims that were found, as the JSON text of each.
#[derive(Default)]
pub(super) struct Found<'a> {
    claims: [Option<&'a str>; Part::Roles as usize + 1],
    /// A bit for each claim that is required, there, and not null.
    pub(super) required: u64,
}

impl<'a> Found<'a> {
    pub(super) fn get(&self, part: Part) -> Option<&'a str> {
        self.claims.get(part as usize).copied().flatten()
    }

    // Of duplicate names the last one counts, as in PyJWT.
    fn note(&mut self, claim: &Claim, json: &'a str) {
        for &part in &claim.parts {
            if let Some(place) = self.claims.get_mut(part as usize) {
                *place = Some(json);
            }
        }
        if json == "null" {
            self.required &= !claim.required;
        } else {
            self.required |= claim.required;
        }
    }
}

impl<'de> DeserializeSeed<'de> for &Wanted {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Found<'de>, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &Wanted {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object of claims")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Found<'de>, M::Error> {
        let mut found = Found::default();
        while let Some(Text(name)) = members.next_key()? {
            let start = start(&name);
            match self.0.iter().find(|claim| claim.start == start && claim.name == *name) {
                Some(claim) => found.note(claim, members.next_value::<&RawValue>()?.get()),
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// The first eight bytes of a name, as a number.
fn start(name: &str) -> u64 {
    let mut start = [0; 8];
    start.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    u64::from_le_bytes(start)
}

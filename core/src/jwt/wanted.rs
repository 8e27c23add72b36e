//! Which claims are looked for in a token, and what each of them is for.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::claim::Claim;
use super::json::is_readable;
use super::plain::members;
use super::token::Text;

/// What a claim tells: those that RFC 7519 §4.1 registers, and those that a backend reads its user from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
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

const REGISTERED: [(&str, Purpose); 7] = [
    ("exp", Purpose::Exp),
    ("nbf", Purpose::Nbf),
    ("iat", Purpose::Iat),
    ("iss", Purpose::Iss),
    ("aud", Purpose::Aud),
    ("sub", Purpose::Sub),
    ("jti", Purpose::Jti),
];

/// The claims that somebody asks for, each once, whatever it is for.
#[derive(Debug)]
pub(super) struct Wanted(Vec<Name>);

#[derive(Debug)]
struct Name {
    text: String,
    /// With the length they are the whole of a name of up to eight bytes; see [`Wanted::get`].
    first_eight: u64,
    purposes: Vec<Purpose>,
    /// Its bit in [`Found::required`], if it must be there.
    required: u64,
}

impl Wanted {
    /// The registered claims, these, by what they tell, and those that are required, 64 at most.
    pub(super) fn new<'n>(named: impl IntoIterator<Item = (&'n str, Purpose)>, required: &[String]) -> Self {
        let mut wanted = Self(Vec::new());
        for (name, purpose) in REGISTERED.into_iter().chain(named) {
            wanted.add(name, Some(purpose), 0);
        }
        for (bit, name) in required.iter().enumerate() {
            wanted.add(name, None, 1 << bit);
        }
        wanted
    }

    fn add(&mut self, name: &str, purpose: Option<Purpose>, required: u64) {
        match self.0.iter_mut().find(|claim| claim.text == name) {
            Some(claim) => {
                claim.purposes.extend(purpose);
                claim.required |= required;
            }
            None => {
                let purposes = purpose.into_iter().collect();
                self.0.push(Name {
                    text: name.to_owned(),
                    first_eight: first_eight(name),
                    purposes,
                    required,
                });
            }
        }
    }

    /// Looks for them in the text of a JSON object; nothing if it is none, or if readers could differ about it.
    pub(super) fn find<'a>(&self, json: &'a str) -> Option<Found<'a>> {
        let mut found = Found::default();
        let plain = members(json, |name, value| {
            if let Some(wanted) = self.get(name) {
                found.note(wanted, Claim::Plain(value));
            }
        });
        if plain.is_some() { Some(found) } else { self.find_in_any(json) }
    }

    fn find_in_any<'a>(&self, json: &'a str) -> Option<Found<'a>> {
        let mut json = serde_json::Deserializer::from_str(Some(json).filter(|json| is_readable(json))?);
        let found = self.deserialize(&mut json).ok()?;
        json.end().ok().map(|()| found)
    }

    fn get(&self, name: &str) -> Option<&Name> {
        let begin = first_eight(name);
        self.0.iter().find(|wanted| {
            wanted.first_eight == begin
                && wanted.text.len() == name.len()
                // Of names as long as each other, so many bytes are all that there are.
                && (name.len() <= 8 || wanted.text == name)
        })
    }
}

/// The claims that were found.
#[derive(Default)]
pub(super) struct Found<'a> {
    claims: [Option<Claim<'a>>; Purpose::Roles as usize + 1],
    /// A bit for each claim that is required, there, and not null.
    pub(super) required: u64,
}

impl<'a> Found<'a> {
    pub(super) fn get(&self, purpose: Purpose) -> Option<Claim<'a>> {
        self.claims.get(purpose as usize).copied().flatten()
    }

    // Of duplicate names the last one counts, as in PyJWT.
    fn note(&mut self, wanted: &Name, claim: Claim<'a>) {
        for &purpose in &wanted.purposes {
            if let Some(place) = self.claims.get_mut(purpose as usize) {
                *place = Some(claim);
            }
        }
        if wanted.required != 0 {
            self.required &= !wanted.required;
            self.required |= if claim.is_null() { 0 } else { wanted.required };
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

    fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Found<'de>, M::Error> {
        let mut found = Found::default();
        while let Some(Text(name)) = object.next_key()? {
            match self.get(&name) {
                Some(wanted) => found.note(wanted, Claim::Other(object.next_value()?)),
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// The first eight bytes of a name, as a number.
fn first_eight(name: &str) -> u64 {
    name.bytes().take(8).fold(0, |all, byte| all << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(named: &[(&str, Purpose)], required: &[&str], json: &'a str) -> Option<Found<'a>> {
        let required: Vec<_> = required.iter().map(ToString::to_string).collect();
        Wanted::new(named.iter().copied(), &required).find(json)
    }

    #[test]
    fn a_claim_is_found_by_its_whole_name_however_it_is_escaped() {
        let named = [("preferred_name", Purpose::Name), ("preferred_id", Purpose::Id)];
        let json = r#"{"exp\u0000":0,"\u0065xp":1,"preferred":2,"preferred_id":3,"preferred_name":4,"preferred_names":5}"#;
        let found = found(&named, &[], json).unwrap();
        let got = [Purpose::Exp, Purpose::Id, Purpose::Name, Purpose::Nbf]
            .map(|purpose| found.get(purpose).map(Claim::json));
        assert_eq!(got, [Some("1"), Some("3"), Some("4"), None]);
    }

    #[test]
    fn a_name_is_another_if_it_differs_in_one_byte_or_in_length() {
        let named = [("a_role_1", Purpose::Roles)];
        let json = "{\"ex\":1,\"exq\":2,\"fxp\":3,\"expi\":4,\"a_role_2\":5,\"a_role_\":6,\"a_role_11\":7,\"b_role_1\":8}";
        let escaped = r#"{"\u0000exp":1,"exp\u0000":2,"\u0000a_role_":3,"a_role_1\u0000":4}"#;
        for json in [json, escaped] {
            let found = found(&named, &[], json).unwrap();
            assert!(found.get(Purpose::Exp).is_none() && found.get(Purpose::Roles).is_none(), "{json}");
        }
        let found = found(&named, &[], r#"{"a_role_1":1,"exp":2}"#).unwrap();
        assert_eq!(
            [Purpose::Roles, Purpose::Exp].map(|purpose| found.get(purpose).map(Claim::json)),
            [Some("1"), Some("2")]
        );
    }

    #[test]
    fn a_claim_may_serve_several_purposes_and_the_last_of_its_name_counts() {
        let found =
            found(&[("sub", Purpose::Id), ("sub", Purpose::Name)], &[], r#"{"sub":1,"sub":2}"#).unwrap();
        for purpose in [Purpose::Sub, Purpose::Id, Purpose::Name] {
            assert_eq!(found.get(purpose).map(Claim::json), Some("2"));
        }
    }

    #[test]
    fn what_is_required_must_be_there_last_and_not_null() {
        let many: Vec<_> = (0..64).map(|number| format!("claim {number}")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        let all = format!("{{{}}}", members.join(","));
        assert_eq!(found(&[], &names, &all).unwrap().required, u64::MAX);
        for (json, required) in [
            (r#"{"jti":0,"jti":null}"#, 0),
            (r#"{"jti":null,"jti":0}"#, 1),
            (r#"{"jti":null}"#, 0),
            ("{}", 0),
        ] {
            assert_eq!(found(&[], &["jti"], json).unwrap().required, required, "{json}");
        }
    }

    #[test]
    fn t38_what_is_no_object_alone_is_nothing() {
        for json in ["", "[]", "{}x", "{} {}", r#"{"exp":}"#] {
            assert!(found(&[], &[], json).is_none(), "{json}");
        }
    }
}

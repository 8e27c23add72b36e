use std::fmt;

use http::StatusCode;
use percent_encoding::percent_decode;
use zeroize::Zeroize as _;

use crate::body::{Body, BodyError, BodyLimit};
use crate::field_names::{CONTENT_LENGTH, CONTENT_TYPE};
use crate::headers::RequestFields;
use crate::step::one_line;
use crate::{Credentials, Secret};

/// The largest form, in bytes.
pub(crate) const LIMIT: BodyLimit = BodyLimit::new(256 * 1024);

/// The longest field, in bytes.
const LONGEST_FIELD: usize = 8 * 1024;

/// The most fields: ours are three, and a host's own page may have some more.
const MOST_FIELDS: usize = 64;

/// The longest username, and the longest password, in bytes.
const LONGEST_CREDENTIAL: usize = 1024;

/// What somebody posted to sign in.
#[derive(Debug, Default)]
pub(crate) struct LoginFields {
    pub(crate) username: String,
    password: Option<Secret<String>>,
    pub(crate) next: Option<String>,
}

/// Why what was posted is no sign-in form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormError {
    /// The body could not be read.
    Body(BodyError),
    /// A field is longer than 8 KiB.
    FieldTooLarge,
    /// There are more than 64 fields.
    TooManyFields,
    /// The content type is not `application/x-www-form-urlencoded`.
    NotAForm,
    /// A name or a value is not UTF-8.
    NotUtf8,
    /// `username`, `password` or `next` stands twice.
    Repeated,
}

impl LoginFields {
    /// Judges the head of a form, so that nothing is read in vain.
    pub(crate) fn expect(headers: RequestFields<'_>) -> Result<(), FormError> {
        let media = headers.text(&CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(FormError::NotAForm);
        }
        let declared = headers.text(&CONTENT_LENGTH).and_then(|text| text.trim().parse::<u64>().ok());
        if declared.is_some_and(|bytes| bytes > LIMIT.bytes() as u64) {
            return Err(FormError::Body(BodyError::TooLarge));
        }
        Ok(())
    }

    /// Reads the three fields that count (WHATWG URL, `application/x-www-form-urlencoded`), strictly.
    pub(crate) fn parse(body: &Body) -> Result<Self, FormError> {
        let (mut username, mut password, mut next) = (None, None, None);
        for (index, pair) in body.bytes().split(|&byte| byte == b'&').enumerate() {
            if index == MOST_FIELDS {
                return Err(FormError::TooManyFields);
            }
            let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let value = value.strip_prefix(b"=").unwrap_or(value);
            if name.len() > LONGEST_FIELD || value.len() > 3 * LONGEST_FIELD {
                return Err(FormError::FieldTooLarge);
            }
            let (name, value) = (decode(name)?, Secret::new(decode(value)?));
            if value.expose().len() > LONGEST_FIELD {
                return Err(FormError::FieldTooLarge);
            }
            let known = match name.as_str() {
                "username" => &mut username,
                "password" => &mut password,
                "next" => &mut next,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return Err(FormError::Repeated);
            }
        }
        let plain = |value: Secret<String>| value.expose().clone();
        Ok(Self { username: username.map(plain).unwrap_or_default(), password, next: next.map(plain) })
    }

    /// What is to be checked, or why nobody need be asked. An empty password is never asked about: some directories take it
    /// for an anonymous sign-in, which succeeds.
    pub(crate) fn credentials(&mut self) -> Result<Credentials, &'static str> {
        let password = self.password.take().filter(|password| !password.expose().is_empty());
        let Some(password) = password else { return Err("the password is empty") };
        if self.username.is_empty() {
            Err("the username is empty")
        } else if self.username.len() > LONGEST_CREDENTIAL || password.expose().len() > LONGEST_CREDENTIAL {
            Err("the username or the password is longer than 1024 bytes")
        } else if one_line(&self.username) != self.username {
            Err("the username holds control characters, or such as turn text around")
        } else {
            Ok(Credentials { username: self.username.clone(), password })
        }
    }
}

impl FormError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Body(BodyError::TooLarge) | Self::FieldTooLarge | Self::TooManyFields => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::Body(BodyError::Cut) | Self::NotAForm | Self::NotUtf8 | Self::Repeated => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// What the client gets to know.
    pub(crate) fn text(self) -> &'static str {
        match self.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "Form too large",
            StatusCode::REQUEST_TIMEOUT => "Request timeout",
            _ => "Bad request",
        }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::FieldTooLarge => write!(f, "a field of the form is longer than {LONGEST_FIELD} bytes"),
            Self::TooManyFields => write!(f, "the form has more than {MOST_FIELDS} fields"),
            Self::NotAForm => f.write_str("the content type is not application/x-www-form-urlencoded"),
            Self::NotUtf8 => f.write_str("the form is not UTF-8"),
            Self::Repeated => f.write_str("a field of the form stands twice"),
        }
    }
}

impl std::error::Error for FormError {}

/// Undoes `+` and `%`; leaves no copy behind.
fn decode(raw: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(raw.len());
    for (index, part) in raw.split(|&byte| byte == b'+').enumerate() {
        if index > 0 {
            bytes.push(b' ');
        }
        bytes.extend(percent_decode(part));
    }
    String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        FormError::NotUtf8
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::HeaderView;

    fn parse(body: impl Into<Vec<u8>>) -> Result<LoginFields, FormError> {
        LoginFields::parse(&LIMIT.body(body.into()).unwrap())
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let mut form =
            parse("username=Ada+L%C3%B6we&password=a%26b%3D%2B+c&next=%2Fops%2F%3Fq%3D1&other=1").unwrap();
        let credentials = form.credentials().unwrap();
        assert_eq!(credentials.username, "Ada Löwe");
        assert_eq!(credentials.password.expose(), "a&b=+ c");
        assert_eq!(form.next.as_deref(), Some("/ops/?q=1"));
        assert!(parse("").unwrap().credentials().is_err());
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert_eq!(parse("username=%ff").unwrap_err(), FormError::NotUtf8);
        assert_eq!(parse(&b"username=\xff"[..]).unwrap_err(), FormError::NotUtf8);
        assert_eq!(parse("username=a&username=b").unwrap_err(), FormError::Repeated);
        assert_eq!(parse("next=a&next=b").unwrap_err(), FormError::Repeated);
        assert_eq!(parse(format!("x={}", "a".repeat(8193))).unwrap_err(), FormError::FieldTooLarge);
        assert_eq!(parse(format!("x={}", "a".repeat(8192))).unwrap().username, "");
        assert_eq!(parse("&".repeat(64)).unwrap_err(), FormError::TooManyFields);
        assert_eq!(parse("username=a".to_owned() + &"&".repeat(63)).unwrap().username, "a");
        assert_eq!(LIMIT.body(vec![0; 256 * 1024 + 1]).unwrap_err(), BodyError::TooLarge);
    }

    #[test]
    fn t29_a_form_is_refused_by_its_head() {
        let expect = |fields: &[(&'static str, &'static str)]| {
            let pairs: Vec<_> =
                fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            LoginFields::expect(RequestFields::of(HeaderView::Pairs(&pairs)))
        };
        let form = ("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8");
        assert_eq!(expect(&[form, ("content-length", "20")]), Ok(()));
        assert_eq!(expect(&[form]), Ok(()));
        let too_large = Err(FormError::Body(BodyError::TooLarge));
        assert_eq!(expect(&[form, ("content-length", "2097152")]), too_large);
        assert_eq!(expect(&[form, ("content-length", "18446744073709551615")]), too_large);
        for media in ["application/json", "multipart/form-data", "text/plain", ""] {
            assert_eq!(expect(&[("content-type", media)]), Err(FormError::NotAForm));
        }
        assert_eq!(expect(&[]), Err(FormError::NotAForm));
    }

    #[test]
    fn nobody_is_asked_about_what_cannot_be_a_credential() {
        let long = format!("username=ada&password={}", "x".repeat(1025));
        for body in
            ["username=ada&password=", "username=ada", "password=x", "username=a%00b&password=x", &long]
        {
            assert!(parse(body).unwrap().credentials().is_err(), "{body}");
        }
        assert!(parse(format!("username=ada&password={}", "x".repeat(1024))).unwrap().credentials().is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(mut form) = parse(bytes) {
                let _ = form.credentials();
            }
        }

        #[test]
        fn what_browsers_encode_comes_back(username in "[^\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}-\u{202e}\u{2066}-\u{2069}]{1,40}", password in ".{1,40}") {
            let encoded = form_urlencoded::Serializer::new(String::new())
                .append_pair("username", &username)
                .append_pair("password", &password)
                .finish();
            let credentials = parse(encoded).unwrap().credentials().unwrap();
            prop_assert_eq!(credentials.username, username);
            prop_assert_eq!(credentials.password.expose(), &password);
        }
    }

    #[test]
    fn what_is_as_long_as_it_may_be_is_read() {
        let (longest, escaped) = ("a".repeat(LONGEST_FIELD), "%61".repeat(LONGEST_FIELD));
        assert!(parse(format!("{longest}=1&x={longest}&y={escaped}")).is_ok());
        assert_eq!(parse(format!("{longest}a=1")).unwrap_err(), FormError::FieldTooLarge);
        assert_eq!(parse(format!("y={escaped}%61")).unwrap_err(), FormError::FieldTooLarge);
        let length = LIMIT.bytes().to_string();
        let fields: [(&[u8], &[u8]); 2] =
            [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", length.as_bytes())];
        assert_eq!(LoginFields::expect(RequestFields::of(HeaderView::Pairs(&fields))), Ok(()));
        assert!(LIMIT.body(vec![0; LIMIT.bytes()]).is_ok());

        let longest = "a".repeat(LONGEST_CREDENTIAL);
        let credentials = |username: &str, password: &str| {
            parse(format!("username={username}&password={password}")).unwrap().credentials().map(|_| ())
        };
        assert_eq!(credentials(&longest, &longest), Ok(()));
        for (username, password) in [(&*format!("{longest}a"), "b"), ("b", &*format!("{longest}a"))] {
            assert!(credentials(username, password).unwrap_err().contains("1024"));
        }
    }

    #[test]
    fn clients_learn_of_a_form_by_its_status_alone_and_the_log_by_a_sentence() {
        for (error, status, text, told) in [
            (FormError::Body(BodyError::TooLarge), 413, "Form too large", "larger than a form may be"),
            (FormError::Body(BodyError::TooSlow), 408, "Request timeout", "did not come in time"),
            (FormError::Body(BodyError::Cut), 400, "Bad request", "ended before it was whole"),
            (FormError::FieldTooLarge, 413, "Form too large", "longer than 8192 bytes"),
            (FormError::TooManyFields, 413, "Form too large", "more than 64 fields"),
            (FormError::NotAForm, 400, "Bad request", "content type"),
            (FormError::NotUtf8, 400, "Bad request", "UTF-8"),
            (FormError::Repeated, 400, "Bad request", "stands twice"),
        ] {
            assert_eq!((error.status().as_u16(), error.text()), (status, text));
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}

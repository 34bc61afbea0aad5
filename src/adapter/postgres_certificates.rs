//! Certificates that webpki does not read: those of X.509's first version, which PostgreSQL's own instructions make, and names
//! in a subject. Read here as far as libpq looks at them.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error};

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// The parts of a certificate, of any version. Those without "whole" are contents without their tag and length.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    /// What its issuer signed, whole.
    signed: &'a [u8],
    /// How it was signed, said outside and inside of what was signed.
    algorithms: [&'a [u8]; 2],
    signature: &'a [u8],
    /// It says which version it is: those of the first do not.
    versioned: bool,
    issuer: &'a [u8],
    validity: &'a [u8],
    subject: &'a [u8],
    /// The public key with its algorithm, whole.
    key: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// None for what is no certificate.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let (content, rest) = element(der, SEQUENCE)?;
        if !rest.is_empty() {
            return None;
        }
        let (mut rest, after) = element(content, SEQUENCE)?;
        let signed = content.strip_suffix(after)?;
        let (algorithm, after) = element(after, SEQUENCE)?;
        let signature = bits(element(after, BIT_STRING)?.0)?;
        let versioned = rest.first() == Some(&0xa0);
        if versioned {
            (_, rest) = element(rest, 0xa0)?;
        }
        // The serial number.
        (_, rest) = element(rest, 0x02)?;
        let mut next = || {
            let (content, after) = element(rest, SEQUENCE)?;
            rest = after;
            Some(content)
        };
        let (inner_algorithm, issuer, validity, subject) = (next()?, next()?, next()?, next()?);
        let key = rest.strip_suffix(element(rest, SEQUENCE)?.1)?;
        Some(Self { signed, algorithms: [algorithm, inner_algorithm], signature, versioned, issuer, validity, subject, key })
    }

    /// One of X.509's first version, if that certificate is one.
    pub fn of_first_version(der: &'a [u8]) -> Option<Self> {
        Self::read(der).filter(|certificate| !certificate.versioned)
    }

    /// The last common name of the subject.
    pub fn common_name(&self) -> Option<&'a str> {
        let mut subject = self.subject;
        let mut name = None;
        while !subject.is_empty() {
            let (part, others) = element(subject, 0x31)?;
            let (oid, value) = element(element(part, SEQUENCE)?.0, 0x06)?;
            if oid == [0x55, 0x04, 0x03] {
                name = std::str::from_utf8(element(value, *value.first()?)?.0).ok();
            }
            subject = others;
        }
        name
    }

    /// Is it valid now?
    ///
    /// # Errors
    /// Before and after its time, and where its time cannot be read.
    pub fn check_time(&self, now: UnixTime) -> Result<(), Error> {
        let times = || {
            let (from, rest) = time(self.validity)?;
            Some((from, time(rest)?.0))
        };
        let (from, until) = times().ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < from {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > until { Err(CertificateError::Expired.into()) } else { Ok(()) }
    }

    /// Did one of these sign it? There is nobody between: what is of the first version cannot say whom it trusts.
    ///
    /// # Errors
    /// None of them has the issuer's name, or the signature is none of theirs.
    pub fn check_issuer(&self, anchors: &[TrustAnchor<'_>], algorithms: &WebPkiSupportedAlgorithms) -> Result<(), Error> {
        if self.algorithms[0] != self.algorithms[1] {
            return Err(CertificateError::BadEncoding.into());
        }
        let mut error = CertificateError::UnknownIssuer;
        // Constraints on names, which version 1 knows nothing of, cannot be held to.
        let named = |anchor: &&TrustAnchor<'_>| anchor.subject.as_ref() == self.issuer && anchor.name_constraints.is_none();
        for anchor in anchors.iter().filter(named) {
            let Some((key_algorithm, key)) = public_key(anchor.subject_public_key_info.as_ref()) else { continue };
            let verifies = algorithms.all.iter().any(|algorithm| {
                *algorithm.signature_alg_id() == *self.algorithms[0]
                    && *algorithm.public_key_alg_id() == *key_algorithm
                    && algorithm.verify_signature(key, self.signed, self.signature).is_ok()
            });
            if verifies {
                return Ok(());
            }
            error = CertificateError::BadSignature;
        }
        Err(error.into())
    }

    /// The public key as TLS 1.3 verifies with.
    pub fn key(&self) -> SubjectPublicKeyInfoDer<'a> {
        SubjectPublicKeyInfoDer::from(self.key)
    }

    /// Did the key's owner sign this, as TLS 1.2 asks for it?
    ///
    /// # Errors
    /// It was somebody else.
    pub fn check_signed(
        &self,
        message: &[u8],
        signed: &DigitallySignedStruct,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let (key_algorithm, key) =
            element(self.key, SEQUENCE).and_then(|(key, _)| public_key(key)).ok_or(CertificateError::BadEncoding)?;
        let fitting = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
        let verifies = fitting.flat_map(|(_, algorithms)| algorithms.iter()).any(|algorithm| {
            *algorithm.public_key_alg_id() == *key_algorithm
                && algorithm.verify_signature(key, message, signed.signature()).is_ok()
        });
        if verifies { Ok(()) } else { Err(CertificateError::BadSignature.into()) }
    }
}

/// The algorithm of a public key, and the key.
fn public_key(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (algorithm, rest) = element(info, SEQUENCE)?;
    Some((algorithm, bits(element(rest, BIT_STRING)?.0)?))
}

/// A string of whole bytes.
fn bits(content: &[u8]) -> Option<&[u8]> {
    content.split_first().filter(|(unused, _)| **unused == 0).map(|(_, bytes)| bytes)
}

/// The first element, a time, in seconds since 1970, and what comes after it.
fn time(der: &[u8]) -> Option<(i64, &[u8])> {
    let (content, rest) = element(der, *der.first()?)?;
    let text = std::str::from_utf8(content).ok()?;
    let text = match (der.first()?, text.get(..2)?) {
        // Years of two digits, until 2049.
        (0x17, year) if year < "50" => format!("20{text}"),
        (0x17, _) => format!("19{text}"),
        (0x18, _) => text.to_owned(),
        _ => return None,
    };
    let time = chrono::NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some((time.and_utc().timestamp(), rest))
}

/// The first element of a DER text, which has to have that tag: its content, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (_, rest) = der.split_first().filter(|(first, _)| **first == tag)?;
    let (length, rest) = rest.split_first()?;
    if *length < 0x80 {
        return rest.split_at_checked(usize::from(*length));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
    rest.split_at_checked(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(time(b"\x17\x0d700101000001Zrest"), Some((1, &b"rest"[..])));
        assert_eq!(time(b"\x17\x0d490101000000Z"), Some((2_493_072_000, &b""[..])));
        assert_eq!(time(b"\x18\x0f20500101000000Z"), Some((2_524_608_000, &b""[..])));
        assert_eq!(time(b"\x17\x0b4901010000Z"), None);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        for der in [&b""[..], b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\x30\x00", b"\x30\x04\x30\x00\x30\x00"]
        {
            assert!(Certificate::read(der).is_none(), "{der:?}");
        }
    }
}

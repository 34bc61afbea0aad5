//! TLS to a PostgreSQL server: how much of its certificate has to be right, and a certificate of our own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::postgres_credentials::{Credentials, SslMode};
use crate::fs::{Disk, FileSystem};

/// The client's side of TLS, as `sslmode` and the certificates of the target ask for it.
pub(super) fn config(credentials: &Credentials) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(credentials, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(invalid)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let config = match (&credentials.ssl_cert, &credentials.ssl_key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(&Disk.read(key)?).map_err(|error| invalid_file(key, error))?;
            builder.with_client_auth_cert(certificates(certificate)?, key).map_err(invalid)?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn verifier(credentials: &Credentials, provider: &Arc<CryptoProvider>) -> io::Result<Arc<dyn ServerCertVerifier>> {
    let mode = credentials.ssl_mode;
    let Some(root) = &credentials.ssl_root_cert else {
        if matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) {
            let message = "root certificate file \"~/.postgresql/root.crt\" does not exist: give `sslrootcert`, or another \
                           `sslmode`, which does not verify the server's certificate";
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        return Ok(Arc::new(Verifier { provider: provider.clone(), chain: None, full: false }));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(root)? {
        roots.add(certificate).map_err(invalid)?;
    }
    let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let strict = strict.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    // With a root certificate, libpq's `require` means `verify-ca`; `prefer` and weaker never look.
    let looks = matches!(mode, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull);
    let full = mode == SslMode::VerifyFull;
    Ok(Arc::new(Verifier { provider: provider.clone(), chain: looks.then_some(strict), full }))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = Disk.read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| invalid_file(path, error))
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn invalid_file(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
}

/// Looks at a server's certificate as closely as `sslmode` wants.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None: any certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The name has to be right as well.
    full: bool,
}

impl Verifier {
    /// A certificate that lists no names at all is one of its subject's common name, as in libpq.
    fn is_common_name(error: &CertificateError, certificate: &CertificateDer<'_>, host: &ServerName<'_>) -> bool {
        let unnamed = matches!(error, CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty());
        let Some(name) = common_name(certificate).filter(|_| unnamed) else { return false };
        let host = host.to_str();
        let below = |wanted: &str| host.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(wanted));
        name.eq_ignore_ascii_case(&host) || name.strip_prefix("*.").is_some_and(below)
    }
}

/// The common name of a certificate's subject.
fn common_name(certificate: &[u8]) -> Option<&str> {
    const SEQUENCE: u8 = 0x30;
    let (content, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(content, SEQUENCE)?;
    if rest.first() == Some(&0xa0) {
        // The version.
        (_, rest) = element(rest, 0xa0)?;
    }
    // Serial number, algorithm, issuer, validity; then the subject.
    for tag in [0x02, SEQUENCE, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (mut subject, _) = element(rest, SEQUENCE)?;
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

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: all else was right.
            Err(Error::InvalidCertificate(
                error @ (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }),
            )) if !self.full || Self::is_common_name(&error, end_entity, server_name) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

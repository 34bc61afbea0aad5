//! TLS to a PostgreSQL server: how much of its certificate has to be right, and a certificate of our own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::postgres_certificates::Certificate;
use super::postgres_credentials::{Credentials, SslMode};
use crate::fs::{Disk, FileSystem};

/// The client's side of TLS, as `sslmode` and the certificates of the target ask for it.
pub(super) fn config(credentials: &Credentials) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(credentials, &provider)?;
    let own = match (&credentials.ssl_cert, &credentials.ssl_key) {
        (Some(certificate), Some(key)) => Some(own_certificate(certificate, key, &provider)?),
        _ => None,
    };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(invalid)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(match own {
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
        None => builder.with_no_client_auth(),
    }))
}

/// The certificate that the server is shown, with its key.
fn own_certificate(certificate: &Path, key: &Path, provider: &CryptoProvider) -> io::Result<CertifiedKey> {
    let text = read(key)?;
    if String::from_utf8_lossy(&text).contains("ENCRYPTED") {
        let message = format!(
            "the key is encrypted, and lineal asks for no passphrase: `openssl pkey -in {} -out <file>` writes it without one",
            key.display()
        );
        return Err(invalid_file(key, message));
    }
    let private = PrivateKeyDer::from_pem_slice(&text).map_err(|error| invalid_file(key, error))?;
    let private = provider.key_provider.load_private_key(private).map_err(|error| invalid_file(key, error))?;
    let chain = certificates(certificate)?;
    let certified = chain.first().and_then(|own| Certificate::read(own));
    if let (Some(certified), Some(public)) = (certified, private.public_key())
        && certified.key() != public
    {
        let message = format!("certificate does not match private key file \"{}\"", key.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(CertifiedKey::new(chain, private))
}

fn verifier(credentials: &Credentials, provider: &Arc<CryptoProvider>) -> io::Result<Arc<dyn ServerCertVerifier>> {
    let mode = credentials.ssl_mode;
    let Some(root) = &credentials.ssl_root_cert else {
        if matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) {
            let message = "root certificate file \"~/.postgresql/root.crt\" does not exist: give `sslrootcert`, or another \
                           `sslmode`, which does not verify the server's certificate";
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        return Ok(Arc::new(Verifier { provider: provider.clone(), trust: None, full: false }));
    };
    let certificates = certificates(root)?;
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|error| invalid_file(root, error))?;
    }
    let roots = Arc::new(roots);
    let chain = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
    let chain = chain.map_err(|error| invalid_file(root, error))?;
    // With a root certificate, libpq's `require` means `verify-ca`; `prefer` and weaker never look.
    let looks = matches!(mode, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull);
    let trust = looks.then_some(Trust { certificates, roots, chain });
    Ok(Arc::new(Verifier { provider: provider.clone(), trust, full: mode == SslMode::VerifyFull }))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    Disk.read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(&read(path)?).collect::<Result<_, _>>().map_err(|error| invalid_file(path, error))
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn invalid_file(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
}

/// The certificates of `sslrootcert`.
#[derive(Debug)]
struct Trust {
    certificates: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
    /// What has to be signed by them.
    chain: Arc<WebPkiServerVerifier>,
}

/// Looks at a server's certificate as closely as `sslmode` wants.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None: any certificate will do.
    trust: Option<Trust>,
    /// The name has to be right as well.
    full: bool,
}

impl Verifier {
    /// Is it signed by whom we trust, and valid now?
    fn check_chain(
        &self,
        trust: &Trust,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        if trust.certificates.iter().any(|trusted| trusted == certificate) {
            // It is trusted itself, whoever signed it.
            let read = Certificate::read(certificate).ok_or(CertificateError::BadEncoding)?;
            return read.check_time(now);
        }
        if let Some(first) = Certificate::of_first_version(certificate) {
            first.check_time(now)?;
            return first.check_issuer(&trust.roots.roots, &self.provider.signature_verification_algorithms);
        }
        match trust.chain.verify_server_cert(certificate, intermediates, host, &[], now) {
            // The name is looked at last: all else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

/// Is it that host's? A certificate that lists no names at all is one of its subject's common name, as in libpq.
fn check_name(certificate: &CertificateDer<'_>, host: &ServerName<'_>) -> Result<(), Error> {
    let parsed = ParsedCertificate::try_from(certificate);
    let Err(error) = parsed.and_then(|parsed| verify_server_name(&parsed, host)) else { return Ok(()) };
    if matches!(
        &error,
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) if !presented.is_empty()
    ) {
        return Err(error);
    }
    let read = Certificate::read(certificate);
    let Some(name) = read.as_ref().and_then(Certificate::common_name) else { return Err(error) };
    let host_text = host.to_str();
    let below = |wanted: &str| host_text.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(wanted));
    if name.eq_ignore_ascii_case(&host_text) || name.strip_prefix("*.").is_some_and(below) {
        return Ok(());
    }
    let presented = vec![name.to_owned()];
    Err(CertificateError::NotValidForNameContext { expected: host.to_owned(), presented }.into())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(trust) = &self.trust {
            self.check_chain(trust, end_entity, intermediates, server_name, now)?;
            if self.full {
                check_name(end_entity, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match Certificate::of_first_version(certificate) {
            Some(first) => first.check_signed(message, signature, algorithms).map(|()| HandshakeSignatureValid::assertion()),
            None => verify_tls12_signature(message, certificate, signature, algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match Certificate::of_first_version(certificate) {
            Some(first) => verify_tls13_signature_with_raw_key(message, &first.key(), signature, algorithms),
            None => verify_tls13_signature(message, certificate, signature, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
